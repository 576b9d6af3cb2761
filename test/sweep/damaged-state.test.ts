import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
let company: Company;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '500' } });
  company = await world.documents.company();
  world.worker();
});
afterAll(() => world.close());

const key = (name: string) => `${world.env['QUEUE_PREFIX']}:sweep:${name}`;
/** A write without a call, older than the grace. */
function unannounced(): Promise<string> {
  const at = new Date(Date.now() - 20_000);
  return company.appointment({ createdAt: at, updatedAt: at });
}
const isSwept = async (appointmentId: string) => {
  const jobs = await world.jobs.in('completed', 'waiting', 'prioritized', 'active');
  return jobs.some(({ id }) => id?.startsWith(`sweep-${appointmentId}-`));
};
const sweeps = async () => {
  const appointmentId = await unannounced();
  await eventually('the sweep to find the write', () => isSwept(appointmentId), 30_000);
};

const whole = { updatedAt: String(Date.now()), appointmentId: '', caughtUp: '1' };
test.each<[string, () => Promise<unknown>]>([
  ['is text', () => world.redis.set(key('watermark'), 'garbage')],
  ['is a list', () => world.redis.rpush(key('watermark'), 'garbage')],
  ['has other fields', () => world.redis.hset(key('watermark'), { garbage: 'x' })],
  ['has no number for a time', () => world.redis.hset(key('watermark'), { ...whole, updatedAt: 'x' })],
  ['has an empty time', () => world.redis.hset(key('watermark'), { ...whole, updatedAt: '' })],
  ['has NaN for a time', () => world.redis.hset(key('watermark'), { ...whole, updatedAt: 'NaN' })],
  ['has infinity for a time', () => world.redis.hset(key('watermark'), { ...whole, updatedAt: 'Infinity' })],
  ['has a huge time', () => world.redis.hset(key('watermark'), { ...whole, updatedAt: '9'.repeat(40) })],
  [
    'lies in a far future',
    () => world.redis.hset(key('watermark'), { ...whole, updatedAt: '99999999999999' }),
  ],
  [
    'lies an hour ahead',
    () => world.redis.hset(key('watermark'), { ...whole, updatedAt: Date.now() + 3_600_000 }),
  ],
  [
    'has no id',
    () =>
      world.redis.hset(key('watermark'), {
        ...whole,
        appointmentId: 'x',
        caughtUp: '0',
        updatedAt: Date.now() - 60_000,
      }),
  ],
  ['has an unknown flag', () => world.redis.hset(key('watermark'), { ...whole, caughtUp: 'maybe' })],
])('a watermark that %s stops no sweep and skips no write', async (_, damage) => {
  await world.redis.del(key('watermark'));
  await damage();
  await sweeps();
  expect(await world.redis.type(key('watermark'))).toBe('hash');
});

test.each<[string, () => Promise<unknown>]>([
  ['is a list', () => world.redis.rpush(key('lock'), 'x')],
  ['is a hash', () => world.redis.hset(key('lock'), { garbage: 'x' })],
  ['never expires', () => world.redis.set(key('lock'), 'another')],
  [
    'outlasts a lease, since a clock was set back',
    () => world.redis.set(key('lock'), 'another', 'PX', 3_600_000),
  ],
])('a lock that %s stops no sweep', async (_, damage) => {
  await world.redis.del(key('lock'));
  await damage();
  await sweeps();
});

test.each<[string, (order: string) => Promise<unknown>]>([
  ['text', (order) => world.redis.set(order, 'garbage')],
  ['a time that is no number', (order) => world.redis.hset(order, { updatedAt: 'x', status: 'scheduled' })],
  ['a time that is NaN', (order) => world.redis.hset(order, { updatedAt: 'NaN' })],
])('if the record of the last published version is %s, the sweep emits once more', async (_, damage) => {
  const appointmentId = await company.appointment();
  await damage(world.keys.order(company.companyId, appointmentId));
  await company.change(appointmentId, { notes: 'changed' });
  await eventually('the sweep to find the write', () => isSwept(appointmentId), 30_000);
});
