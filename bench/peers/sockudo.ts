import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOnFreePort } from '../../scripts/process/free-port.ts';
import { startService } from '../../scripts/services/service.ts';
import type { RunningContender } from '../harness/contenders.ts';
import type { BenchEnvironment } from '../harness/environment.ts';
import { cpuMicrosOf, residentBytesOf } from '../harness/server-process.ts';
import { isOk } from './is-ok.ts';
import { SOCKUDO_APP } from './sockudo-api.ts';

/** Whether it is installed. `npm run bench` says how to install it. */
export const hasSockudo = (): boolean => process.env['BENCH_SOCKUDO'] !== undefined;

/** Starts Sockudo, which fans out over the environment's Redis. The environment stops it. */
export async function startSockudo(environment: BenchEnvironment): Promise<RunningContender> {
  const dir = join(environment.dir, 'sockudo');
  mkdirSync(dir, { recursive: true });
  const server = await startOnFreePort(undefined, (port) => {
    const config = join(dir, `config-${port}.json`);
    writeFileSync(config, JSON.stringify(settings(port, new URL(environment.env['REDIS_URL']!))));
    return startService({
      ...{ name: 'sockudo', dir, port, url: `http://127.0.0.1:${port}` },
      ...{ command: process.env['BENCH_SOCKUDO']!, args: ['--config', config] },
      isReady: (at) => isOk(`http://127.0.0.1:${at}/up`),
    });
  });
  environment.stopOnClose(server.stop);
  return {
    url: server.url,
    measure: (what) => {
      if (what === 'cpu') return Promise.resolve(cpuMicrosOf(server.pid));
      if (what === 'memory') return Promise.resolve(residentBytesOf(server.pid));
      throw new Error(`Sockudo cannot measure "${what}"`);
    },
    send: () => {
      throw new Error('Sockudo is called over HTTP');
    },
    stop: server.stop,
  };
}

/** Starts Express and Sockudo. */
export async function startExpressSockudo(environment: BenchEnvironment) {
  const sockudo = await startSockudo(environment);
  const contender = await environment.start('peers/express-sockudo.ts', { SOCKUDO_URL: sockudo.url });
  return { contender, sockudo };
}

function settings(port: number, redis: URL): object {
  const limits = { max_connections: 1_000_000, max_client_events_per_second: 1_000_000 };
  return {
    ...{ host: '127.0.0.1', port, mode: 'production' },
    adapter: { driver: 'redis' },
    app_manager: {
      driver: 'memory',
      array: { apps: [{ ...SOCKUDO_APP, enabled: true, policy: { limits } }] },
    },
    ...{ cache: { driver: 'memory' }, idempotency: { enabled: false } },
    queue: { driver: 'memory' },
    database: { redis: { host: redis.hostname, port: Number(redis.port) } },
    metrics: { enabled: false },
    rate_limiter: { enabled: false },
  };
}
