import { afterEach, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/process/free-port.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { type LogLine, readLog, readLogLines } from '../harness/log-lines.ts';
import { freshDir, ownMongo, ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
/** The test's own servers; they end after their users. */
const servers: ServiceHandle[] = [];
afterEach(async () => {
  await world.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function own(starting: Promise<ServiceHandle>): Promise<ServiceHandle> {
  const server = await starting;
  servers.push(server);
  return server;
}

const WARN = 40;
const SECRET = 'a-password-of-redis';

/** Waits for this number of failed attempts; all but the warnings are logged at level `debug`. */
async function warningsAfter(dir: string, attempts: number, event: string): Promise<LogLine[]> {
  await eventually(
    `${attempts} attempts in the log`,
    () => readLogLines(dir).filter(({ msg }) => msg === event).length >= attempts,
    60_000,
  );
  return readLogLines(dir).filter(({ level }) => level >= WARN);
}

test.each(['api', 'worker'] as const)(
  'Redis is down when the %s starts: one log line for each cause, with host and port, and one when it is available',
  async (role) => {
    const redis = await own(ownRedis());
    world = await createWorld({ redisUrl: redis.url });
    await redis.stop();
    const { host } = new URL(redis.url);
    const env = {
      REDIS_URL: redis.url.replace('//', `//default:${SECRET}@`),
      LOG_LEVEL: 'debug',
      LOG_DIR: freshDir('logs'),
    };
    await (role === 'api' ? world.apiProcess(env) : world.workerProcess(env));
    const warnings = await warningsAfter(env.LOG_DIR, 20, 'redis unavailable');
    const [first] = warnings.filter(({ msg }) => msg === 'redis unavailable');
    expect(first?.error).toContain(`ECONNREFUSED ${host}`);
    expect(first?.error).toContain('start Redis, or correct host and port in REDIS_URL');
    expect(new Set(warnings.map(({ msg, error }) => `${msg} ${error}`)).size).toBe(warnings.length);
    expect(warnings.length).toBeLessThanOrEqual(3);
    expect(readLog(env.LOG_DIR)).not.toContain(SECRET);

    await redis.restart();
    // This server has no users: it takes any password for `default`.
    await eventually('the line that Redis is back', () =>
      readLogLines(env.LOG_DIR).some(({ msg }) => msg === 'redis available again'),
    );
  },
  120_000,
);

test('MongoDB is down when API and worker start: one log line each, and one when it is available', async () => {
  const mongo = await own(ownMongo());
  world = await createWorld({ mongoUri: mongo.url });
  await mongo.stop();
  const [api, worker] = [freshDir('logs'), freshDir('logs')];
  await Promise.all([
    world.apiProcess({ LOG_DIR: api, LOG_LEVEL: 'debug' }),
    world.workerProcess({ LOG_DIR: worker, LOG_LEVEL: 'debug', RECONCILE_INTERVAL_MS: '0' }),
  ]);
  for (const dir of [api, worker]) {
    const warnings = await warningsAfter(dir, 5, 'mongodb unavailable');
    expect(warnings.filter(({ msg }) => msg === 'mongodb unavailable')).toHaveLength(1);
    expect(warnings[0]?.error).toContain('start MongoDB, or correct host and port in MONGODB_URI');
  }
  await mongo.restart();
  for (const dir of [api, worker]) {
    await eventually('the line that MongoDB is back', () =>
      readLogLines(dir).some(({ msg }) => msg === 'mongodb available again'),
    );
  }
  await mongo.stop();
  for (const dir of [api, worker]) {
    await eventually(
      'the line of the second outage',
      () =>
        readLogLines(dir).filter(({ level, msg }) => level >= WARN && msg === 'mongodb unavailable').length >
        1,
      30_000,
    );
  }
}, 180_000);

test.each([
  ['a wrong password', 'redis://default:wrong@', 'WRONGPASS'],
  ['TLS to a server without it', 'rediss://', 'has no TLS although REDIS_URL begins with rediss://'],
])(
  '%s: one log line gives the reason, and is not repeated for each attempt',
  async (_what, start, reason) => {
    const redis = await own(ownRedis());
    world = await createWorld({ redisUrl: redis.url });
    await world.redis.config('SET', 'requirepass', SECRET);
    const env = {
      REDIS_URL: redis.url.replace('redis://', start),
      LOG_LEVEL: 'debug',
      LOG_DIR: freshDir('logs'),
    };
    await world.apiProcess(env);
    const warnings = await warningsAfter(env.LOG_DIR, 15, 'redis unavailable');
    expect(warnings.some(({ error }) => error?.includes(reason))).toBe(true);
    expect(warnings.length).toBeLessThanOrEqual(4);
  },
  120_000,
);

test.each([
  ['sentinels', (port: number) => `redis+sentinel://127.0.0.1:${port}/mymaster`],
  ['a Cluster', (port: number) => `redis://127.0.0.1:${port},redis://localhost:${port}`],
])(
  '%s cannot be reached: one log line gives the reason, and is not repeated for each attempt',
  async (_what, urlOf) => {
    world = await createWorld();
    const env = { REDIS_URL: urlOf(await freePort()), LOG_LEVEL: 'debug', LOG_DIR: freshDir('logs') };
    await world.workerProcess(env);
    const warnings = await warningsAfter(env.LOG_DIR, 15, 'redis unavailable');
    expect(warnings.every(({ error }) => error !== undefined && error !== '')).toBe(true);
    expect(warnings.length).toBeLessThanOrEqual(5);
  },
  120_000,
);
