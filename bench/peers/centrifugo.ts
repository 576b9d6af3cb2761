import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { companyRoom, type StreamPosition } from '@appointment-emissions/contracts';
import { startOnFreePort } from '../../scripts/process/free-port.ts';
import { startService } from '../../scripts/services/service.ts';
import type { RunningContender } from '../harness/contenders.ts';
import { API_KEY, JWT_SECRET, type BenchEnvironment } from '../harness/environment.ts';
import { cpuMicrosOf, residentBytesOf } from '../harness/server-process.ts';
import { isOk } from './is-ok.ts';

/** Settings of a company's channel: each reconnect recovers what the history still holds. */
const COMPANY_NAMESPACE = { name: 'company', history_size: 1_000, history_ttl: '1h', force_recovery: true };

export interface Centrifugo extends RunningContender {
  /** Publishes JSON to the company's channel. */
  publish: (companyId: string, json: string) => Promise<void>;
  /** The head of the company's channel. */
  head: (companyId: string) => Promise<StreamPosition>;
}

/** Whether it is installed. `npm run bench` says how to install it. */
export const hasCentrifugo = (): boolean => process.env['BENCH_CENTRIFUGO'] !== undefined;

/** Starts Centrifugo on the environment's Redis. The environment stops it. */
export async function startCentrifugo(environment: BenchEnvironment): Promise<Centrifugo> {
  const dir = join(environment.dir, 'centrifugo');
  mkdirSync(dir, { recursive: true });
  const server = await startOnFreePort(undefined, (port) => {
    const config = join(dir, `config-${port}.json`);
    writeFileSync(config, JSON.stringify(settings(port, environment.env['REDIS_URL']!)));
    return startService({
      ...{ name: 'centrifugo', dir, port, url: `http://127.0.0.1:${port}` },
      ...{ command: process.env['BENCH_CENTRIFUGO']!, args: ['--config', config] },
      isReady: (at) => isOk(`http://127.0.0.1:${at}/health`),
    });
  });
  environment.stopOnClose(server.stop);
  const call = createApi(server.url);
  return {
    url: server.url,
    measure: (what) => measure(what, server.pid, server.url),
    send: () => {
      throw new Error('Centrifugo is called over HTTP');
    },
    stop: server.stop,
    async publish(companyId, json) {
      await call('publish', `{"channel":"${companyRoom(companyId)}","data":${json}}`);
    },
    async head(companyId) {
      const { offset = 0, epoch } = await call(
        'history',
        JSON.stringify({ channel: companyRoom(companyId) }),
      );
      return { offset, epoch: epoch! };
    },
  };
}

/** Starts Express and Centrifugo. */
export async function startExpressCentrifugo(environment: BenchEnvironment) {
  const centrifugo = await startCentrifugo(environment);
  const contender = await environment.start('peers/express-centrifugo.ts', {
    CENTRIFUGO_URL: centrifugo.url,
  });
  return { contender, centrifugo };
}

/** A JWT with which Centrifugo subscribes a dashboard to its company's channel as it connects. */
export function signCentrifugoToken(companyId: string): Promise<string> {
  return new SignJWT({ sub: 'dashboard', channels: [companyRoom(companyId)] })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(JWT_SECRET));
}

function settings(port: number, redisUrl: string): object {
  return {
    http_server: { address: '127.0.0.1', port },
    log: { level: 'error' },
    engine: { type: 'redis', redis: { address: redisUrl } },
    client: { token: { hmac_secret_key: JWT_SECRET } },
    http_api: { key: API_KEY },
    channel: { namespaces: [COMPANY_NAMESPACE] },
    health: { enabled: true },
    // Idle, but for the garbage collection before memory is measured.
    debug: { enabled: true },
    usage_stats: { disabled: true },
  };
}

interface ApiReply {
  result?: { offset?: number; epoch?: string };
  error?: { code: number; message: string };
}

function createApi(url: string) {
  return async (method: 'publish' | 'history', body: string): Promise<NonNullable<ApiReply['result']>> => {
    const headers = { 'content-type': 'application/json', 'x-api-key': API_KEY };
    const response = await fetch(`${url}/api/${method}`, { method: 'POST', headers, body });
    const { result, error } = (await response.json()) as ApiReply;
    if (!result || error) throw new Error(`Centrifugo: ${method}: ${error?.message ?? response.status}`);
    return result;
  };
}

async function measure(what: string, pid: number, url: string): Promise<number> {
  if (what === 'cpu') return cpuMicrosOf(pid);
  if (what !== 'memory') throw new Error(`Centrifugo cannot measure "${what}"`);
  // Go's profiler collects the garbage before it replies. The second collection frees what finalizers released.
  for (let i = 0; i < 2; i += 1) await isOk(`${url}/debug/pprof/heap?gc=1`);
  return residentBytesOf(pid);
}
