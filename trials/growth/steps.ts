import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createEmitter } from '../../bench/harness/emitter.ts';
import { openEnvironment, type BenchEnvironment } from '../../bench/harness/environment.ts';
import { fillQueue } from '../../bench/harness/queue.ts';
import { createCompanyLog } from '../../src/emission/company-log.ts';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import { PRIORITY } from '../../src/queue/retry-policy.ts';
import { type Fleet, measureDrain, measureIdle, measureLive, measureReads } from './measure.ts';

/** Measures one part of the system at `scale` times its base size. */
export type Step = (scale: number) => Promise<Record<string, number>>;

const BASE = { companies: 100, appointments: 10_000, jobs: 10_000 };
const DASHBOARDS_PER_COMPANY = 2;
/** Companies with live bookings and reads. */
const ACTIVE = 20;
/** Appointments of a company within the range of the list; all others are in the past. */
const LISTED = 20;
const GATEWAYS = 2;
const IDLE_SECONDS = 20;
const CHUNK = 5_000;
const DAY_MS = 24 * 3_600_000;
const SETTLE_MS = 3_000;

const openFleet = async (
  environment: BenchEnvironment,
  over: Record<string, string> = {},
): Promise<Fleet> => ({
  environment,
  gateways: await Promise.all(
    Array.from({ length: GATEWAYS }, () => environment.start('contenders/our-api.ts', over)),
  ),
  worker: await environment.start('contenders/our-worker.ts', over),
});

const headsOf = ({ redis, env }: BenchEnvironment) =>
  createCompanyLog(redis, { keys: createCompanyKeys(env['QUEUE_PREFIX']!) }).head;

/** The appointments of the first companies. */
function activeIds({ ids }: BenchEnvironment): BenchEnvironment['ids'] {
  const companies = new Set([...new Set(ids.map(({ companyId }) => companyId))].slice(0, ACTIVE));
  return ids.filter(({ companyId }) => companies.has(companyId));
}

async function redisMemory({ redis }: BenchEnvironment): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}

/**
 * Companies with two idle dashboards each, spread over two gateways. Only the active ones have documents: SecantusDB scans whole
 * collections in `$unionWith`, where MongoDB uses the index on `_id`.
 */
export const companies: Step = async (scale) => {
  const count = BASE.companies * scale;
  const environment = await openEnvironment({ companies: ACTIVE, appointments: ACTIVE * LISTED });
  try {
    const fleet = await openFleet(environment);
    const { redis } = environment;
    const active = [...new Set(environment.ids.map(({ companyId }) => companyId))];
    const { ObjectId } = environment.models;
    const idle = Array.from({ length: count - ACTIVE }, () => new ObjectId().toHexString());
    const companyIds = [...active, ...idle];
    const before = { bytes: await redisMemory(environment), keys: await redis.dbsize() };
    const startedAt = performance.now();
    await Promise.all(fleet.gateways.map(({ url }) => hold(environment, url, companyIds)));
    const seconds = (performance.now() - startedAt) / 1_000;
    await pause(SETTLE_MS);
    const after = { bytes: await redisMemory(environment), keys: await redis.dbsize() };
    const usage = await measureIdle(fleet, IDLE_SECONDS);
    return {
      companies: count,
      dashboards: count * DASHBOARDS_PER_COMPANY,
      'handshakes/s': (count * DASHBOARDS_PER_COMPANY) / seconds,
      'Redis keys/company': (after.keys - before.keys) / count,
      'Redis bytes/company': (after.bytes - before.bytes) / count,
      ...usage,
      ...(await measureActive(fleet)),
    };
  } finally {
    await environment.close();
  }
};

/** Resolves when one dashboard of each company is connected. */
async function hold(
  environment: BenchEnvironment,
  url: string,
  companyIds: readonly string[],
): Promise<void> {
  const file = join(environment.dir, 'companies.json');
  writeFileSync(file, JSON.stringify(companyIds));
  await environment.start('../trials/growth/hold-sockets.ts', { HOLD_URL: url, HOLD_COMPANIES: file });
}

/** Live bookings, lists and catch-ups of the first companies. */
async function measureActive(fleet: Fleet): Promise<Record<string, number>> {
  const ids = activeIds(fleet.environment);
  await Promise.all(ids.map(createEmitter(fleet.environment)));
  return {
    ...(await measureLive(fleet, ids)),
    ...(await measureReads(
      fleet,
      [...new Set(ids.map(({ companyId }) => companyId))],
      headsOf(fleet.environment),
    )),
  };
}

/** Appointments of 100 companies. Most of them are in the past, as in a calendar of years. */
export const appointments: Step = async (scale) => {
  const count = BASE.appointments * scale;
  const environment = await openEnvironment({
    ...{ companies: BASE.companies, appointments: BASE.companies * LISTED },
  });
  try {
    await addHistory(environment, count - environment.ids.length);
    const fleet = await openFleet(environment);
    return { appointments: count, ...(await measureActive(fleet)) };
  } finally {
    await environment.close();
  }
};

/** Copies of the appointments, an hour apart, before the range of the list. */
async function addHistory({ models }: BenchEnvironment, count: number): Promise<void> {
  const collection = models.appointments();
  const templates = await collection.find({}).toArray();
  const before = Date.now() - 30 * DAY_MS;
  for (let from = 0; from < count; from += CHUNK) {
    const size = Math.min(CHUNK, count - from);
    await collection.insertMany(
      Array.from({ length: size }, (_, index) => {
        const template = templates[(from + index) % templates.length]!;
        const start = new Date(before - Math.floor((from + index) / templates.length) * 3_600_000);
        return {
          ...template,
          _id: new models.ObjectId(),
          start,
          end: start,
          createdAt: start,
          updatedAt: start,
        };
      }),
    );
  }
}

/** Waiting jobs in the bulk queue, which is paused while live bookings are measured, and then drained for some seconds. */
export const jobs: Step = async (scale) => {
  const count = BASE.jobs * scale;
  const environment = await openEnvironment({
    companies: BASE.companies,
    appointments: BASE.companies * LISTED,
  });
  try {
    const { bulk } = environment.queues;
    await bulk.pause();
    const before = await redisMemory(environment);
    await fillQueue({ ...environment, queue: bulk }, count, PRIORITY.batch);
    const bytes = ((await redisMemory(environment)) - before) / count;
    const fleet = await openFleet(environment, { MAX_WAITING_EMISSIONS: String(2 * count) });
    const live = await measureActive(fleet);
    await bulk.resume();
    return { 'waiting jobs': count, 'Redis bytes/job': bytes, ...live, ...(await measureDrain(fleet)) };
  } finally {
    await environment.close();
  }
};
