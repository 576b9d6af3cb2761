/**
 * Prints what the index of published appointments takes in Redis, beside other layouts, as measured by MEMORY USAGE with
 * 100,000 appointments: `npm run index-memory`. docs/decisions/0032-published-index.md quotes the figures.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { Redis } from 'ioredis';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import { createPublishedKeys } from '../../src/emission/published-keys.ts';
import { createRememberPublished } from '../../src/emission/remember-published.ts';
import { ownRedis } from '../../test/harness/own-services.ts';

const APPOINTMENTS = 100_000;
const PREFIX = '{emissions}';
const DAY_MS = 24 * 3_600_000;
const KEPT_DAYS = 30;
const COMMANDS_PER_PIPELINE = 5_000;

interface Published {
  appointmentId: string;
  companyId: string;
  publishedAt: number;
}

type Layout = (published: Published) => [command: string, key: string, ...args: (string | number)[]];

const companyKeys = createCompanyKeys(PREFIX);
const byCompany: Record<string, Layout> = {
  'a sorted set per company (ours)': ({ companyId, appointmentId, publishedAt }) => [
    'ZADD',
    companyKeys.published(companyId),
    publishedAt,
    appointmentId,
  ],
  '16 sorted sets per company': ({ companyId, appointmentId, publishedAt }) => [
    'ZADD',
    `${companyKeys.published(companyId)}:${appointmentId.slice(-1)}`,
    publishedAt,
    appointmentId,
  ],
  'a hash per company and day': ({ companyId, appointmentId, publishedAt }) => [
    'HSET',
    `${companyKeys.published(companyId)}:${Math.floor(publishedAt / DAY_MS)}`,
    appointmentId,
    1,
  ],
};

/** Appointments of companies that have `perCompany` each on average, with the ids of a driver and random times of the last 30 days. */
function* appointments(perCompany: number): Generator<Published> {
  const process = randomBytes(5).toString('hex');
  const companies = Array.from({ length: APPOINTMENTS / perCompany }, () => randomBytes(12).toString('hex'));
  for (let i = 0; i < APPOINTMENTS; i += 1) {
    const publishedAt = Date.now() - Math.floor(Math.random() * KEPT_DAYS * DAY_MS);
    const seconds = Math.floor(publishedAt / 1_000).toString(16);
    const appointmentId = `${seconds}${process}${i.toString(16).padStart(6, '0')}`;
    yield { appointmentId, companyId: companies[randomInt(companies.length)] ?? '', publishedAt };
  }
}

async function fill(redis: Redis, layout: Layout, perCompany: number): Promise<void> {
  let pipeline = redis.pipeline();
  for (const published of appointments(perCompany)) {
    const [command, ...args] = layout(published);
    pipeline.call(command, ...args);
    if (pipeline.length < COMMANDS_PER_PIPELINE) continue;
    await pipeline.exec();
    pipeline = redis.pipeline();
  }
  await pipeline.exec();
}

/** Stores the company of each appointment once, as workers do. */
async function fillBuckets(redis: Redis): Promise<void> {
  const periods = new Map<number, Published[]>();
  for (const published of appointments(1_000)) {
    const at = Math.ceil(published.publishedAt / (10 * DAY_MS)) * 10 * DAY_MS - 1;
    const members = periods.get(at);
    if (members) members.push(published);
    else periods.set(at, [published]);
  }
  for (const [at, members] of periods) {
    const { remember, settled } = createRememberPublished({
      redis,
      keys: createPublishedKeys(PREFIX),
      now: () => at,
      reportDamage: () => undefined,
      onForgotten: (error) => {
        throw error;
      },
    });
    for (const { companyId, appointmentId } of members) remember(companyId, [appointmentId]);
    await settled();
  }
}

async function bytesPerAppointment(redis: Redis, write: () => Promise<void>): Promise<number> {
  await redis.flushall();
  await write();
  let bytes = 0;
  for await (const keys of redis.scanStream({ count: 1_000 }) as AsyncIterable<string[]>) {
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
    bytes += sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  }
  return Math.round(bytes / APPOINTMENTS);
}

const service = await ownRedis();
const redis = new Redis(service.url, { replyMapping: 'legacy' });
try {
  console.log('bytes per appointment, by appointments of a company');
  for (const [name, layout] of Object.entries(byCompany)) {
    const figures: string[] = [];
    for (const perCompany of [10, 100, 1_000, 10_000]) {
      const bytes = await bytesPerAppointment(redis, () => fill(redis, layout, perCompany));
      figures.push(`${perCompany}: ${bytes}`);
    }
    console.log(`company → appointments, ${name}: ${figures.join(', ')}`);
  }
  const single: Layout = ({ appointmentId, companyId }) => [
    'SET',
    `${PREFIX}:published:${appointmentId}`,
    companyId,
  ];
  const one = await bytesPerAppointment(redis, () => fill(redis, single, 1_000));
  console.log(`appointment → company, a key each: ${one}`);
  const inBuckets = await bytesPerAppointment(redis, () => fillBuckets(redis));
  console.log(`appointment → company, 4,096 hashes per ten days (ours): ${inBuckets}`);
} finally {
  redis.disconnect();
  await service.stop();
}
