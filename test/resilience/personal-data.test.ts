import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../scripts/process/free-port.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { Company } from '../harness/documents.ts';
import { startMongoTap } from '../harness/mongo-tap.ts';
import { freeze, ownRedis } from '../harness/own-services.ts';
import type { Spawned } from '../harness/processes.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { filesIn, findWords, keysOf, type Place, slowLogsOf } from './leaks.ts';
import { useWholeService } from './whole-service.ts';

/** A unique customer: its data may be in messages to the company's own dashboards only. */
const PERSONAL = {
  fullName: 'Zoë "Zarathustra" Quillfeather',
  email: 'zq.unlisted+canary@example.org',
  phone: '+49 30 5550199347',
  notes: 'bites if (and only if) his leftearlobe is touched',
};
/** A part of each value that no text encoding changes. */
const WORDS = ['Zarathustra', 'Quillfeather', 'unlisted', '5550199347', 'leftearlobe'];

let redis: ServiceHandle;
let replica: ServiceHandle;
let mongo: Awaited<ReturnType<typeof startMongoTap>>;
let world: World;
let api: Spawned;
let worker: Spawned;
let owner: Company;
let used: Awaited<ReturnType<typeof useWholeService>>;
/** Standard output and error of the processes. */
const processes: Spawned[] = [];

beforeAll(async () => {
  const plain = ['--rdbcompression', 'no', '--slowlog-max-len', '100000'];
  redis = await ownRedis({ extraArgs: [...plain, '--repl-diskless-sync-delay', '0'] });
  replica = await ownRedis({ extraArgs: [...plain, '--replicaof', '127.0.0.1', String(redis.port)] });
  const metricsPort = String(await freePort());
  world = await createWorld({
    redisUrl: redis.url,
    env: {
      ADMIN_WRITES: 'on',
      CANARY_INTERVAL_MS: '1000',
      EMISSION_ATTEMPTS: '2',
      LOG_LEVEL: 'trace',
      RECONCILE_INTERVAL_MS: '500',
    },
  });
  mongo = await startMongoTap(world.env['MONGODB_URI']!);
  const servers = { MONGODB_URI: mongo.uri };
  let stranger: Company;
  [api, worker, owner, stranger] = await Promise.all([
    world.ready(world.apiProcess({ ...servers, METRICS_PORT: metricsPort })),
    world.workerProcess(servers),
    world.documents.company(),
    world.documents.company(),
  ]);
  processes.push(api, worker);
  const { notes, ...customer } = PERSONAL;
  await world.documents.models.Customer.collection.updateOne({ _id: owner.customer._id }, { $set: customer });
  used = await useWholeService({
    world,
    api,
    metricsUrls: [`http://127.0.0.1:${metricsPort}`],
    owner,
    stranger,
    notes,
    misplaced: [PERSONAL.email, PERSONAL.fullName],
  });
}, 300_000);
afterAll(async () => {
  await world.close();
  await mongo.close();
  await Promise.all([redis.stop(), replica.stop()]);
});

/** All places but the company's own dashboards and MongoDB. */
async function everywhereElse(): Promise<Place[]> {
  await world.redis.save();
  return [
    ...(await keysOf(world.redis)),
    ...(await slowLogsOf(world.redis)),
    ...filesIn(redis.dir),
    ...filesIn(replica.dir),
    ...filesIn(world.env['LOG_DIR']!),
    ...processes.map(({ pid, output }) => ({ where: `output of ${pid}`, bytes: Buffer.from(output()) })),
    ...used.answers.map(({ to, text }) => ({ where: `an answer to ${to}`, bytes: Buffer.from(text) })),
  ];
}

test('the company’s own dashboard receives all personal data', () => {
  const { fullName, email, phone, notes } = PERSONAL;
  const customerId = expect.objectContaining({ fullName, email, phone });
  const received = used.own.received.map(({ payload }) => payload.appointment);
  expect(received).toContainEqual(expect.objectContaining({ notes, customerId }));
});

test('personal data is in no key or file of Redis, no log, no output and no reply to others', async () => {
  expect(findWords(WORDS, await everywhereElse())).toEqual([]);
});

test('a refused publish, an unavailable MongoDB, a frozen Redis and a killed worker put personal data into none of these either', async () => {
  const { notes } = PERSONAL;
  const appointmentId = await owner.appointment({ notes });
  const send = async (to: string): Promise<void> => {
    const headers = { authorization: `Bearer ${await world.token(owner.companyId)}` };
    const answers = [
      await world.post(api, 'appointment-updated', { appointmentId }),
      await fetch(`${api.url}/api/v1/dashboard/appointments`, { headers }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBeGreaterThanOrEqual(500);
      used.answers.push({ to, text: await answer.text() });
    }
  };

  await world.redis.call('ACL', 'SETUSER', 'default', '-publish');
  await world.jobIn(await world.emit(api, 'appointment-updated', appointmentId), 'failed');
  await world.redis.call('ACL', 'SETUSER', 'default', '+publish');

  await world.jobs.pause();
  const held = await world.emit(api, 'appointment-updated', appointmentId);
  mongo.refuse();
  await world.jobs.resume();
  await eventually('the worker to log it', () => worker.output().includes('MongoDB or Redis is unavailable'));
  await send('clients while MongoDB is unavailable');
  mongo.mend();
  await world.jobIn(held, 'completed');

  await freeze(redis);
  await send('clients while Redis is frozen').finally(() => redis.kill('SIGCONT'));
  await world.ready(Promise.resolve(api));

  worker.kill('SIGKILL');
  await worker.exited;
  processes.push(await world.workerProcess({ MONGODB_URI: mongo.uri }));
  await world.jobIn(await world.emit(api, 'appointment-updated', appointmentId), 'completed');

  expect(findWords(WORDS, await everywhereElse())).toEqual([]);
}, 180_000);

test('an enabled slow log keeps only ids of published messages', async () => {
  const appointmentId = await owner.appointment({ notes: PERSONAL.notes });
  await world.redis.config('SET', 'slowlog-log-slower-than', '0');
  await world.jobIn(await world.emit(api, 'appointment-updated', appointmentId), 'completed');
  await world.redis.config('SET', 'slowlog-log-slower-than', '-1');
  const kept = await slowLogsOf(world.redis);
  expect(findWords([appointmentId], kept)).toHaveLength(1);
  expect(findWords(WORDS, kept)).toEqual([]);
  await world.redis.call('SLOWLOG', 'RESET');
});

/** These run last, since each leaves data behind. */
const LEAKS: Record<string, () => Promise<unknown>> = {
  'the slow log': async () => {
    await world.redis.config('SET', 'slowlog-log-slower-than', '0');
    await world.redis.set('short', PERSONAL.email);
    await world.redis.config('SET', 'slowlog-log-slower-than', '-1');
    await world.redis.del('short');
  },
  'an answer': () => Promise.resolve(used.answers.push({ to: 'a bot', text: JSON.stringify(PERSONAL) })),
  'a log, in a URL': () => {
    const line = `${encodeURIComponent(PERSONAL.email)}\n`;
    return appendFile(join(world.env['LOG_DIR']!, 'combined.log'), line);
  },
  'a key, in base64': () => {
    const text = Buffer.from(`{"notes":"${PERSONAL.notes}"}`).toString('base64');
    return world.redis.hset('a-hash', 'field', text);
  },
};

test.each(Object.entries(LEAKS))('negative control: personal data in %s is detected', async (_, leak) => {
  const before = findWords(WORDS, await everywhereElse());
  await leak();
  expect(findWords(WORDS, await everywhereElse()).length).toBeGreaterThan(before.length);
});
