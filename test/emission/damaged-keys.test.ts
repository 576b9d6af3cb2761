import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { PositionUpdate } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import { damageCounts } from '../harness/damage.ts';
import type { Company } from '../harness/documents.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
});
afterAll(() => world.close());

let company: Company;
let appointmentId: string;
let before: Dashboard;
beforeEach(async () => {
  company = await world.documents.company();
  appointmentId = await company.appointment();
  before = await world.dashboard(api, company.companyId);
  for (let emitted = 0; emitted < 3; emitted += 1) await arrives();
});

/** Emits the appointment and waits until the emission reaches the dashboard. */
async function arrives(on = before): Promise<void> {
  const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
  await on.receive(({ meta }) => meta.emissionId === emissionId);
}
const place = (offset: number) => ({ epoch: before.received[0]!.meta.epoch, offset });
const catchUp = (from: object): Promise<PositionUpdate> =>
  before.socket.timeout(10_000).emitWithAck('emissions:catch-up', from) as Promise<PositionUpdate>;
const list = async () => {
  const token = await world.token(company.companyId);
  return fetch(`${api.url}/api/v1/dashboard/appointments`, { headers: { authorization: `Bearer ${token}` } });
};

/** Damage by another program: a key of each other type, or with other fields. */
const WRONG_TYPES: [what: string, write: (key: string) => Promise<unknown>][] = [
  ['text', (key) => world.redis.set(key, 'garbage')],
  ['a list', (key) => world.redis.rpush(key, 'garbage')],
  ['a set', (key) => world.redis.sadd(key, 'garbage')],
  ['a sorted set', (key) => world.redis.zadd(key, 1, 'garbage')],
  ['a hash of other fields', (key) => world.redis.hset(key, 'garbage', 'x')],
  ['a stream of other entries', (key) => world.redis.xadd(key, '7-7', 'garbage', 'x')],
];
const POSITIONS: [what: string, fields: Record<string, string>][] = [
  ['an epoch that is too long', { epoch: 'e'.repeat(17) }],
  ['an epoch that is empty', { epoch: '' }],
  ['an offset that is no number', { offset: 'x' }],
  ['an offset that is empty', { offset: '' }],
  ['an offset that is NaN', { offset: 'nan' }],
  ['an offset that is negative', { offset: '-3' }],
  ['an offset with a fraction', { offset: '1.5' }],
  ['an offset with an exponent', { offset: '1e3' }],
  ['an offset in hexadecimal', { offset: '0x10' }],
  ['a huge offset', { offset: '9'.repeat(30) }],
  ['a read that is no number', { read: 'x' }],
  ['a huge read', { read: '9'.repeat(18) }],
  ['a history that is none', { history: '' }],
];

const damagedPositions: [string, (key: string) => Promise<unknown>][] = [
  ...WRONG_TYPES.map(([what, write]): (typeof WRONG_TYPES)[number] => [
    what,
    async (key) => {
      await world.redis.del(key);
      await write(key);
    },
  ]),
  ...POSITIONS.map(([what, fields]): (typeof WRONG_TYPES)[number] => [
    what,
    (key) => world.redis.hset(key, fields),
  ]),
];

test.each(damagedPositions)(
  'a damaged position (%s) begins a new epoch, and dashboards must reload',
  async (_, write) => {
    await write(world.keys.position(company.companyId));
    expect(await catchUp(place(1))).toMatchObject({ offset: 0, recovered: false, reason: 'epoch' });
    await write(world.keys.position(company.companyId));
    expect((await list()).status).toBe(200);
    await write(world.keys.position(company.companyId));
    await arrives();
    expect(before.received.at(-1)!.meta).toMatchObject({ offset: 1 });
    expect(before.received.at(-1)!.meta.epoch).not.toBe(place(0).epoch);
  },
);

test.each(WRONG_TYPES)(
  'a damaged log (%s) is never replayed as complete, and the next emission is logged',
  async (_, write) => {
    await world.redis.del(world.keys.log(company.companyId));
    await write(world.keys.log(company.companyId));
    expect(await catchUp(place(1))).toMatchObject({ recovered: false });
    await arrives();
    await arrives();
    const { epoch, offset } = before.received.at(-1)!.meta;
    expect(await catchUp({ epoch, offset: offset - 1 })).toEqual({ epoch, offset, recovered: true });
  },
);

const entry = (over: Record<string, string>) => ({
  event: 'appointment:updated',
  appointmentId,
  emissionId: 'x',
  ...over,
});
test.each<[string, () => Record<string, string>]>([
  ['an event of another program', () => entry({ event: 'garbage' })],
  ['an event of a later version', () => entry({ event: 'appointment:merged' })],
  ['an appointment without an id', () => entry({ appointmentId: '' })],
  ['an appointment’s id of another form', () => entry({ appointmentId: 'x'.repeat(24) })],
  ['an emission without an id', () => entry({ emissionId: '' })],
  ['an emission’s id that is huge', () => entry({ emissionId: 'x'.repeat(5_000) })],
  ['another field', () => entry({ more: 'x' })],
  ['other fields', () => ({ garbage: 'x' })],
])('a log entry with %s is not skipped in a replay that claims to be complete', async (_, fields) => {
  const counted = (await damageCounts(api))['log']!;
  const key = world.keys.log(company.companyId);
  await world.redis.xadd(key, '4-0', ...Object.entries(fields()).flat());
  await world.redis.hset(world.keys.position(company.companyId), 'offset', 4);
  expect(await catchUp(place(2))).toEqual({ ...place(4), recovered: false, reason: 'invalid' });
  expect((await damageCounts(api))['log']).toBe(counted + 1);
  expect(await catchUp(place(4))).toEqual({ ...place(4), recovered: true });
  await arrives();
  expect(before.received.at(-1)!.meta).toMatchObject(place(5));
});

test.each(['3-1', '4-0', '999999999999-0', '18446744073709551615-18446744073709551615'])(
  'a foreign log entry with the id %s stops no emission',
  async (id) => {
    await world.redis.xadd(world.keys.log(company.companyId), id, 'garbage', 'x');
    expect((await catchUp(place(1))).recovered).toBe(false);
    await arrives();
    await arrives();
    expect((await catchUp(place(1))).recovered).toBe(false);
  },
);

test.each(WRONG_TYPES.filter(([what]) => !what.includes('hash')))(
  'a damaged order token (%s) is replaced by emissions, lists and replays',
  async (_, write) => {
    const key = world.keys.order(company.companyId, appointmentId);
    const damage = async () => {
      await world.redis.del(key);
      await write(key);
    };
    await damage();
    expect((await list()).status).toBe(200);
    await damage();
    expect(await catchUp(place(2))).toEqual({ ...place(3), recovered: true });
    await damage();
    await arrives();
    expect(await world.redis.type(key)).toBe('hash');
  },
);

test('the API counts damaged keys', async () => {
  await world.redis.set(world.keys.position(company.companyId), 'garbage');
  await catchUp(place(1));
  expect((await damageCounts(api))['position']).toBeGreaterThan(0);
});
