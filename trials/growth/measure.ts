import { setTimeout as pause } from 'node:timers/promises';
import type { RunningContender } from '../../bench/harness/contenders.ts';
import { JWT_SECRET, type BenchEnvironment } from '../../bench/harness/environment.ts';
import { catchUp, requestList } from '../../bench/harness/dashboard-requests.ts';
import { median, quantile } from '../../bench/harness/figures.ts';
import { fireAtRate } from '../../bench/harness/fire.ts';
import { cpuMicrosOf } from '../../bench/harness/server-process.ts';
import type { StreamPosition } from '@appointment-emissions/contracts';
import { signToken } from '../../test/harness/dashboard.ts';

/** The processes of a fleet, and the servers, by the names of the report. */
export interface Fleet {
  environment: BenchEnvironment;
  gateways: readonly RunningContender[];
  worker: RunningContender;
}

/** CPU time in µs by part, and commands that Redis executed. Those of scripts count. */
type Usage = Record<'gateways' | 'worker' | 'Redis' | 'MongoDB' | 'commands', number>;

const LIVE_RATE = 20;
const LIVE_SECONDS = 20;
const READS = 40;
/** Bulk emissions that are measured. */
const DRAINED = 8_000;
const POLL_MS = 50;
/** Emissions that a reconnecting dashboard has missed. */
const MISSED = 5;
const PATH = '/api/v1/internal/socket/appointment-updated';

async function readUsage({ environment, gateways, worker }: Fleet): Promise<Usage> {
  const { redis, pids } = environment;
  const [own, ...ofGateways] = await Promise.all([worker, ...gateways].map(({ measure }) => measure('cpu')));
  const stats = await redis.info('commandstats');
  const calls = [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  return {
    gateways: ofGateways.reduce((sum, micros) => sum + micros, 0),
    worker: own!,
    Redis: cpuMicrosOf(pids.redis),
    MongoDB: cpuMicrosOf(pids.mongodb),
    commands: calls,
  };
}

/** What each part uses during `work`, divided by `units`. */
async function usageDuring(fleet: Fleet, units: number, work: () => Promise<unknown>): Promise<Usage> {
  const before = await readUsage(fleet);
  await work();
  const after = await readUsage(fleet);
  const entries = Object.keys(before) as (keyof Usage)[];
  return Object.fromEntries(entries.map((key) => [key, (after[key] - before[key]) / units])) as Usage;
}

/** What the fleet uses without emissions, per second. */
export async function measureIdle(fleet: Fleet, seconds: number): Promise<Record<string, number>> {
  const idle = await usageDuring(fleet, seconds, () => pause(seconds * 1_000));
  return {
    'idle: gateways, CPU ms/s': idle.gateways / 1_000,
    'idle: Redis, CPU ms/s': idle.Redis / 1_000,
    'idle: Redis commands/s': idle.commands,
  };
}

/** Live bookings at 20/s: latency, and what each costs beside the idle fleet. */
export async function measureLive(
  fleet: Fleet,
  ids: BenchEnvironment['ids'],
): Promise<Record<string, number>> {
  const { environment, gateways } = fleet;
  const { url } = gateways[0]!;
  const count = LIVE_RATE * LIVE_SECONDS;
  let events: number[] = [];
  const fire = async (): Promise<void> => {
    ({ events } = await fireAtRate({ ...environment, ids }, { url, path: PATH, rate: LIVE_RATE, count }));
  };
  await fire();
  const idle = await usageDuring(fleet, LIVE_SECONDS, () => pause(LIVE_SECONDS * 1_000));
  const busy = await usageDuring(fleet, count, fire);
  const perEvent = (part: keyof Usage): number => busy[part] - idle[part] / LIVE_RATE;
  return {
    'event p50, ms': quantile(events, 0.5),
    'event p99, ms': quantile(events, 0.99),
    'gateways, CPU µs/event': perEvent('gateways'),
    'worker, CPU µs/event': perEvent('worker'),
    'Redis, CPU µs/event': perEvent('Redis'),
    'MongoDB, CPU µs/event': perEvent('MongoDB'),
    'Redis commands/event': perEvent('commands'),
  };
}

/** Bulk emissions from a backlog: how fast the worker is, and what each costs. */
export async function measureDrain(fleet: Fleet): Promise<Record<string, number>> {
  const { redis, queues } = fleet.environment;
  const finished = async (): Promise<number> =>
    Number(await redis.hget(queues.bulk.toKey('metrics:completed'), 'count'));
  const from = await finished();
  const startedAt = performance.now();
  const used = await usageDuring(fleet, DRAINED, async () => {
    while ((await finished()) - from < DRAINED) await pause(POLL_MS);
  });
  return {
    'bulk emissions/s': DRAINED / ((performance.now() - startedAt) / 1_000),
    'worker, CPU µs/bulk emission': used.worker,
    'Redis, CPU µs/bulk emission': used.Redis,
    'Redis commands/bulk emission': used.commands,
  };
}

/** Lists, and reconnects that missed five emissions, one after the other. */
export async function measureReads(
  { gateways }: Fleet,
  companyIds: readonly string[],
  head: (companyId: string) => Promise<StreamPosition>,
): Promise<Record<string, number>> {
  const { url } = gateways[0]!;
  const [lists, catchUps]: [number[], number[]] = [[], []];
  for (let index = 0; index < READS; index += 1) {
    const companyId = companyIds[index % companyIds.length]!;
    const token = await signToken(JWT_SECRET, companyId, '1h');
    const { epoch, offset } = await head(companyId);
    lists.push(await timed(() => requestList(url, token)));
    catchUps.push(await timed(() => catchUp(url, token, { epoch, offset: Math.max(0, offset - MISSED) })));
  }
  return { 'list p50, ms': median(lists), 'catch-up p50, ms': median(catchUps) };
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const at = performance.now();
  await run();
  return performance.now() - at;
}
