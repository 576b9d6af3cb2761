import { afterEach, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RedisClient } from '../../src/connections.ts';
import { Types } from 'mongoose';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
afterEach(() => world.close());

/** What may stand in the published message, and nowhere else. */
const PERSONAL = {
  fullName: 'Zarathustra Quillfeather',
  email: 'zq.private@example.org',
  phone: '+49 30 5550199',
  notes: 'bites when his left ear is touched',
};

/** Every key's name and content, as one text. */
async function everythingIn(redis: RedisClient): Promise<string> {
  const read: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => redis.get(key),
    hash: (key) => redis.hgetall(key),
    list: (key) => redis.lrange(key, 0, -1),
    set: (key) => redis.smembers(key),
    zset: (key) => redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'),
    stream: (key) => redis.xrange(key, '-', '+'),
    none: () => Promise.resolve(null),
  };
  const found: string[] = [];
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', '1000');
    cursor = next;
    for (const key of keys) {
      const type = await redis.type(key);
      found.push(`${key} ${JSON.stringify(await read[type]!(key))}`);
    }
  } while (cursor !== '0');
  return found.join('\n');
}

test('personal data stands in no key of Redis, no job and no log: neither after successes nor after failures', async () => {
  world = await createWorld({
    env: { RECONCILE_INTERVAL_MS: '500', EMISSION_ATTEMPTS: '2', LOG_LEVEL: 'trace' },
  });
  const [api, worker, company] = await Promise.all([
    world.ready(world.apiProcess()),
    world.workerProcess(),
    world.documents.company(),
  ]);
  const { fullName, email, phone, notes } = PERSONAL;
  const { Appointment, Customer } = world.documents.models;
  await Customer.collection.updateOne({ _id: company.customer._id }, { $set: { fullName, email, phone } });
  const dashboard = await world.dashboard(api, company.companyId);

  const [good, large, gone] = await Promise.all([
    company.appointment({ notes }),
    company.appointment({ notes: notes.repeat(10_000) }),
    company.appointment({ notes }),
  ]);
  // A success, which is also listed and replayed; a failure for good; one whose appointment is deleted meanwhile.
  const published = await world.emit(api, 'appointment-created', good);
  const heard = await dashboard.hear(({ meta }) => meta.emissionId === published);
  expect(heard.payload.appointment).toMatchObject({ notes, customerId: { fullName, email, phone } });
  const list = await fetch(`${api.url}/api/v1/dashboard/appointments`, {
    headers: { authorization: `Bearer ${await world.token(company.companyId)}` },
  });
  expect(await list.text()).toContain(email);
  const back = await world.dashboard(api, company.companyId, {
    position: { epoch: heard.meta.epoch, offset: heard.meta.offset - 1 },
  });
  await back.hear(({ meta }) => meta.replayed);
  await world.jobIn(await world.emit(api, 'appointment-created', large), 'failed');
  await world.queue.pause();
  const lost = await world.emit(api, 'appointment-canceled', gone);
  await Appointment.collection.deleteOne({ _id: new Types.ObjectId(gone) });
  await world.queue.resume();
  await world.jobIn(lost, 'failed');
  // Callers who send it where an id belongs, or as a key.
  await world.post(api, 'appointment-created', { appointmentId: email, notes });
  await world.post(api, 'appointment-created', { appointmentId: good, customer: PERSONAL });
  await world.post(api, 'appointment-created', { appointmentId: good }, { 'idempotency-key': 'a-key' });

  const inRedis = await everythingIn(world.redis);
  expect(inRedis).toContain(good);
  const files = readdirSync(world.env['LOG_DIR']!);
  expect(files).toContain('combined.log');
  worker.kill('SIGTERM');
  await worker.exited;
  const logged = await eventually('the emission to be logged', () => {
    const lines = files.map((file) => readFileSync(join(world.env['LOG_DIR']!, file), 'utf8')).join('\n');
    return lines.includes(published) && lines.includes(lost) ? lines : undefined;
  });
  for (const personal of Object.values(PERSONAL)) {
    expect(inRedis.split('\n').filter((line) => line.includes(personal))).toEqual([]);
    expect(logged.split('\n').filter((line) => line.includes(personal))).toEqual([]);
  }
});
