/**
 * Prints what shards give on a Redis Cluster of three masters: the CPU time of each master per emission, with one and with three
 * shards: `npm run shards`.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { cpuMicrosOf } from '../../bench/harness/server-process.ts';
import { ownCluster, type RedisCluster } from '../../test/harness/own-cluster.ts';
import { ownMongo } from '../../test/harness/own-services.ts';
import { eventually } from '../../test/harness/until.ts';
import { API_KEY, createWorld, type World } from '../../test/harness/world.ts';

const MASTERS = 3;
/** Numbers of shards. */
const VARIANTS = [1, 3] as const;
const COMPANIES = 60;
const APPOINTMENTS = 10;
/** Companies with an open dashboard. */
const WATCHED = 12;
const CONNECTIONS = 20;
const WARM_UP_SECONDS = 5;
/** Masters of a Cluster talk to one another while nothing happens. */
const IDLE_SECONDS = 5;

interface Figures {
  /** CPU time of each master per emission in µs, without that of an idle Cluster; the busiest first. */
  micros: number[];
  perSecond: number;
  /** Time from acceptance to publication in ms. */
  latency: { p50: number | null; p99: number | null };
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '15' },
    /** Emissions per second; 0 is as many as possible. */
    rate: { type: 'string', default: '200' },
    /** Whether requests have an Idempotency-Key, as those of the bot library. */
    keys: { type: 'boolean', default: false },
  },
});
const [rounds, seconds, rate] = [Number(values.rounds), Number(values.seconds), Number(values.rate)];

/** Starts a fleet with a Cluster of its own, and measures it under load. */
async function measure(mongoUri: string, shards: number): Promise<Figures> {
  const cluster = await ownCluster({ masters: MASTERS });
  const world = await createWorld({
    redisUrl: cluster.url,
    mongoUri,
    env: { RECONCILE_INTERVAL_MS: '0', QUEUE_SHARDS: String(shards) },
    shards,
  });
  try {
    const [api] = await Promise.all([world.apiProcess(), world.workerProcess()]);
    await eventually(
      'the API to be ready',
      async () => {
        const health = await fetch(`${api.url}/health`);
        if (!health.ok) throw new Error(await health.text());
        return true;
      },
      60_000,
    );
    const ids = await writeAppointments(world, api);
    await post(api, ids, WARM_UP_SECONDS);
    await settle(world);
    const idle = await microsPerSecond(cluster);
    const before = cpuOf(cluster);
    const startedAt = performance.now();
    const emissions = await post(api, ids, seconds);
    await settle(world);
    const took = (performance.now() - startedAt) / 1_000;
    const micros = cpuOf(cluster).map((cpu, at) => (cpu - before[at]! - idle[at]! * took) / emissions);
    return {
      micros: micros.sort((a, b) => b - a),
      perSecond: emissions / took,
      latency: await latencyOf(api),
    };
  } finally {
    await world.close();
    await cluster.stop();
  }
}

/** Resolves to the ids of the appointments; some companies have a dashboard. */
async function writeAppointments(world: World, api: { url: string }): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < COMPANIES; index += 1) {
    const company = await world.documents.company();
    if (index < WATCHED) await world.dashboard(api, company.companyId);
    for (let each = 0; each < APPOINTMENTS; each += 1) ids.push(await company.appointment());
  }
  return ids.sort(() => Math.random() - 0.5);
}

/** Posts emissions, and resolves to their number. @throws if one is not accepted */
async function post(api: { url: string }, ids: readonly string[], duration: number): Promise<number> {
  let next = 0;
  const result = await autocannon({
    url: api.url,
    connections: CONNECTIONS,
    duration,
    ...(rate > 0 && { overallRate: rate }),
    requests: [
      {
        method: 'POST',
        path: '/api/v1/internal/socket/appointment-updated',
        setupRequest: (request) => ({
          ...request,
          headers: {
            'content-type': 'application/json',
            'x-api-key': API_KEY,
            ...(values.keys && { 'idempotency-key': randomUUID() }),
          },
          body: JSON.stringify({ appointmentId: ids[next++ % ids.length] }),
        }),
      },
    ],
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} replies were not 2xx, ${result.errors} connection errors`);
  return result['2xx'];
}

const settle = (world: World) =>
  eventually(
    'all jobs to end',
    async () => (await world.jobs.count('wait', 'active', 'delayed', 'prioritized')) === 0,
    120_000,
  );

const cpuOf = ({ nodes }: RedisCluster): number[] => nodes.map(({ service }) => cpuMicrosOf(service.pid));

async function microsPerSecond(cluster: RedisCluster): Promise<number[]> {
  const before = cpuOf(cluster);
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1_000));
  return cpuOf(cluster).map((cpu, at) => (cpu - before[at]!) / IDLE_SECONDS);
}

async function latencyOf(api: { url: string }): Promise<Figures['latency']> {
  const response = await fetch(`${api.url}/api/v1/internal/metrics`, { headers: { 'x-api-key': API_KEY } });
  const { latencyMs } = (await response.json()) as {
    latencyMs: { total: Record<'1m', Figures['latency']> };
  };
  return latencyMs.total['1m'];
}

const mongo = await ownMongo();
try {
  console.log(
    `${rate > 0 ? `${rate} emissions/s` : 'full load'}, ${COMPANIES} companies, Idempotency-Key: ${values.keys ? 'yes' : 'no'}`,
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const shards of VARIANTS) {
      const { micros, perSecond, latency } = await measure(mongo.url, shards);
      const sum = micros.reduce((total, each) => total + each, 0);
      console.log(
        `${MASTERS} masters, shards ${shards}: µs per emission ` +
          `${micros.map(Math.round).join(' + ')} = ${Math.round(sum)}; busiest ${Math.round((100 * micros[0]!) / sum)} %; ` +
          `${Math.round(perSecond)}/s; p50 ${latency.p50} ms, p99 ${latency.p99} ms`,
      );
    }
  }
} finally {
  await mongo.stop();
}
