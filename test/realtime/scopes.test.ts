import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AppointmentList, PositionUpdate, Scope, TokenReply } from '@appointment-emissions/contracts';
import { Types } from 'mongoose';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Dashboard, Received } from '../harness/dashboard.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const HIDE = ['customerId.email', 'customerId.phone', 'notes'];

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
});
afterAll(() => world.close());

/** A company with two groomers. */
async function salon(): Promise<Company & { first: string; second: string; secondId: Types.ObjectId }> {
  const company = await world.documents.company();
  const second = { ...company.staff, _id: new Types.ObjectId(), fullName: 'Noa Stern' };
  await world.documents.models.Staff.collection.insertOne(second);
  return {
    ...company,
    first: company.staff._id.toHexString(),
    second: second._id.toHexString(),
    secondId: second._id,
  };
}

async function open(companyId: string, scope?: unknown, over: object = {}): Promise<Dashboard> {
  const token = await world.token(companyId, '5m', scope === undefined ? {} : { scope });
  return world.dashboard(api, companyId, { token, ...over });
}

const emit = (appointmentId: string, slug = 'appointment-updated') => world.emit(api, slug, appointmentId);
const of =
  (emissionId: string) =>
  ({ meta }: Received): boolean =>
    meta.emissionId === emissionId;
const list = async (companyId: string, scope?: unknown) => {
  const bearer = await world.token(companyId, '5m', scope === undefined ? {} : { scope });
  const response = await fetch(`${api.url}/api/v1/dashboard/appointments`, {
    headers: { authorization: `Bearer ${bearer}` },
  });
  return { status: response.status, body: (await response.json()) as AppointmentList & { code: string } };
};

test('a groomer gets only their own appointments, without hidden fields; the manager gets those of both groomers', async () => {
  const { companyId, first, secondId, appointment } = await salon();
  const manager = await open(companyId);
  const groomer = await open(companyId, { staffId: first, hide: HIDE });
  const own = await appointment();
  const others = await appointment({ staffId: secondId });

  const [ownId, othersId] = [await emit(own), await emit(others)];
  const seen = await groomer.receive(of(ownId));
  const full = await manager.receive(of(ownId));
  await manager.receive(of(othersId));
  const { customerId, ...rest } = full.payload.appointment;
  expect(seen.payload.appointment).toEqual({
    ...rest,
    notes: null,
    customerId: { ...customerId, email: null, phone: null },
  });
  expect(seen.meta).toEqual(full.meta);

  // This gateway does not know where the other appointment was before.
  const removal = await groomer.receive(of(othersId));
  expect(removal).toMatchObject({
    event: 'appointment:deleted',
    payload: { appointment: { _id: others, companyId }, reason: 'out-of-scope' },
    meta: { offset: 2, read: 0 },
  });
  expect(Object.keys(removal.payload.appointment).sort()).toEqual(['_id', 'companyId']);
  expect(groomer.received).toHaveLength(2);
  expect(JSON.stringify(groomer.received)).not.toContain('ann@example.org');
  expect(manager.passed).toEqual([]);
});

test('emissions that were and are out of scope are accounted for by emissions:passed, at most once a second', async () => {
  const { companyId, first, secondId, appointment } = await salon();
  const groomer = await open(companyId, { staffId: first });
  const others = await appointment({ staffId: secondId });
  await groomer.receive(of(await emit(others)));

  const since = Date.now();
  for (let count = 0; count < 6; count += 1) await world.jobIn(await emit(others), 'completed');
  await eventually('the last offset to be passed', () => groomer.passed.at(-1)?.offset === 7);
  expect(groomer.received).toHaveLength(1);
  expect(groomer.passed.length).toBeLessThanOrEqual((Date.now() - since) / 1_000 + 1);

  // Between an event and the one before it, every offset is accounted for, also within the same second.
  const own = await appointment();
  for (let count = 0; count < 5; count += 1) {
    await world.jobIn(await emit(others), 'completed');
    await groomer.receive(of(await emit(own)));
  }
  const offsets = groomer.received.map(({ meta }) => meta.offset);
  const accounted = new Set([...offsets, ...groomer.passed.flatMap(({ offset }) => offset)]);
  expect(groomer.received.filter(({ event }) => event !== 'appointment:deleted')).toHaveLength(5);
  expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
  expect(Math.max(...accounted)).toBe(17);
});

test('an appointment that leaves the scope is removed in order, and one that enters it appears', async () => {
  const { companyId, first, second, secondId, staff, appointment, change } = await salon();
  const groomers = [await open(companyId, { staffId: first }), await open(companyId, { staffId: [second] })];
  const id = await appointment();
  const events = async (emissionId: string) =>
    Promise.all(groomers.map(async (one) => (await one.receive(of(emissionId))).event));

  expect(await events(await emit(id, 'appointment-created'))).toEqual([
    'appointment:created',
    'appointment:deleted',
  ]);
  await change(id, { staffId: secondId });
  expect(await events(await emit(id))).toEqual(['appointment:deleted', 'appointment:updated']);
  await change(id, { staffId: staff._id });
  expect(await events(await emit(id))).toEqual(['appointment:updated', 'appointment:deleted']);
});

test('a list between two messages makes the former scope unknown: the removal is sent', async () => {
  const { companyId, first, secondId, staff, appointment, change } = await salon();
  const groomer = await open(companyId, { staffId: first });
  const id = await appointment({ staffId: secondId });
  await groomer.receive(of(await emit(id)));
  // A write that is not announced, which the list shows, and another one that takes it back.
  await change(id, { staffId: staff._id });
  const { body } = await list(companyId, { staffId: first });
  expect(body.appointments.map(({ appointment: { _id } }) => _id)).toEqual([id]);
  await change(id, { staffId: secondId });
  expect(await groomer.receive(of(await emit(id)))).toMatchObject({ event: 'appointment:deleted' });
});

test('a location restricts as a groomer does, and both together restrict further', async () => {
  const { companyId, first, secondId, appointment } = await salon();
  const [here, there] = [new Types.ObjectId(), new Types.ObjectId()];
  const ids = [
    await appointment({ locationId: here }),
    await appointment({ locationId: there }),
    await appointment({ locationId: here, staffId: secondId }),
    await appointment({ locationId: null }),
  ];
  const listed = async (scope: Scope) =>
    (await list(companyId, scope)).body.appointments
      .map(({ appointment: { _id } }) => ids.indexOf(_id))
      .sort();
  expect(await listed({ locationId: here.toHexString() })).toEqual([0, 2]);
  expect(await listed({ locationId: [here.toHexString().toUpperCase(), there.toHexString()] })).toEqual([
    0, 1, 2,
  ]);
  expect(await listed({ locationId: here.toHexString(), staffId: first })).toEqual([0]);
  expect(await listed({ staffId: [] })).toEqual([]);
  expect(await listed({ hide: ['notes'] })).toEqual([0, 1, 2, 3]);
});

test('the list contains the scope only, without hidden fields', async () => {
  const { companyId, first, secondId, appointment } = await salon();
  const own = await appointment();
  await appointment({ staffId: secondId });
  const all = await list(companyId);
  const { status, body } = await list(companyId, { staffId: first, hide: [...HIDE, 'petId'] });
  expect([all.body.appointments.length, status, body.appointments.length]).toEqual([2, 200, 1]);
  expect(body.appointments[0]?.appointment).toMatchObject({
    _id: own,
    notes: null,
    petId: null,
    customerId: { fullName: 'Ann Bauer', email: null, phone: null },
  });
});

const REFUSED: [string, unknown][] = [
  ['null', null],
  ['an empty object', {}],
  ['an OAuth scope', 'openid email'],
  ['a list', []],
  ['an unknown key', { staffId: 'a'.repeat(24), role: 'groomer' }],
  ['an id that is none', { staffId: 'me' }],
  ['a list with an id that is none', { staffId: ['a'.repeat(24), 7] }],
  ['a null id', { staffId: null }],
  ['an unknown path', { hide: ['customerId.mail'] }],
  ['the path of an id', { hide: ['customerId._id'] }],
  ['the company', { hide: ['companyId'] }],
  ['no paths', { hide: [] }],
  ['a path of the prototype', { hide: ['__proto__'] }],
];
test.each(REFUSED)('a scope with %s is refused by handshake, list and renewal', async (_, scope) => {
  const { companyId } = await world.documents.company();
  await expect(open(companyId, scope)).rejects.toMatchObject({
    message: expect.stringContaining('the scope cannot be read'),
    data: { code: 'SCOPE_INVALID' },
  });
  expect(await list(companyId, scope)).toMatchObject({ status: 403, body: { code: 'SCOPE_INVALID' } });
  const { socket } = await open(companyId);
  const token = await world.token(companyId, '5m', { scope });
  expect(await socket.emitWithAck('emissions:token', { token })).toMatchObject({
    ok: false,
    code: 'SCOPE_INVALID',
  });
});

test('dashboards with different scopes that reconnect together get replays of their own', async () => {
  const { companyId, first, second, secondId, appointment } = await salon();
  const scopes: unknown[] = [undefined, { staffId: first }, { staffId: second }, { hide: HIDE }];
  const before = await Promise.all(scopes.map((scope) => open(companyId, scope)));
  const position = before[0]!.positions[0]!;
  for (const { close } of before) close();
  const ids = [await appointment(), await appointment({ staffId: secondId })];
  for (const id of ids) await world.jobIn(await emit(id), 'completed');

  const after = await Promise.all(scopes.map((scope) => open(companyId, scope, { position })));
  const shown = after.map(({ received }) =>
    received.map(({ event, payload }) => [
      event,
      ids.indexOf(payload.appointment._id),
      payload.appointment.notes,
    ]),
  );
  const [updated, deleted] = ['appointment:updated', 'appointment:deleted'];
  expect(shown).toEqual([
    [
      [updated, 0, 'first visit'],
      [updated, 1, 'first visit'],
    ],
    [
      [updated, 0, 'first visit'],
      [deleted, 1, undefined],
    ],
    [
      [deleted, 0, undefined],
      [updated, 1, 'first visit'],
    ],
    [
      [updated, 0, null],
      [updated, 1, null],
    ],
  ]);
  for (const { positions, received } of after) {
    expect(positions[0]).toMatchObject({ offset: 2, recovered: true });
    expect(received.every(({ meta, event }) => meta.replayed && meta.event === event)).toBe(true);
  }
});

describe('emissions:token', () => {
  const renew = async (dashboard: Dashboard, token: unknown): Promise<TokenReply> =>
    (await dashboard.socket.emitWithAck('emissions:token', { token })) as TokenReply;

  test('a new token keeps the connection beyond the expiry of the old one', async () => {
    const { companyId } = await world.documents.company();
    const dashboard = await open(companyId, undefined, {
      token: await world.token(companyId, 2, { sub: 'u' }),
    });
    const reply = await renew(dashboard, await world.token(companyId, 3_600, { sub: 'u' }));
    expect(reply).toEqual({ ok: true, expiresAt: expect.any(String) });
    const remainingMs = Date.parse((reply as { expiresAt: string }).expiresAt) - Date.now();
    expect(Math.round(remainingMs / 60_000)).toBe(60);
    const short = await open(companyId, undefined, { token: await world.token(companyId, 2, { sub: 'u' }) });
    await eventually('the other socket to expire', () => !short.socket.connected);
    expect(dashboard.socket.connected).toBe(true);
    // A shorter lifetime counts too.
    await renew(dashboard, await world.token(companyId, 1, { sub: 'u' }));
    await eventually('the socket to expire', () => !dashboard.socket.connected);
  });

  test('another scope applies at once, and the position tells the dashboard to reload', async () => {
    const { companyId, first, second, appointment } = await salon();
    const dashboard = await open(companyId, { staffId: first });
    const id = await appointment();
    await dashboard.receive(of(await emit(id)));
    expect(
      await renew(dashboard, await world.token(companyId, '5m', { scope: { staffId: second } })),
    ).toMatchObject({
      ok: true,
    });
    await eventually<PositionUpdate | undefined>('the position', () =>
      dashboard.positions.find(({ recovered }) => !recovered),
    );
    expect(dashboard.positions.at(-1)).toMatchObject({ offset: 1, recovered: false, reason: 'scope' });
    // Outside the new scope, before and after: the reload has removed it.
    await world.jobIn(await emit(id), 'completed');
    await eventually('the offset to be passed', () => dashboard.passed.at(-1)?.offset === 2);
    // The whole company, and back.
    await renew(dashboard, await world.token(companyId));
    expect(await dashboard.receive(of(await emit(id)))).toMatchObject({ event: 'appointment:updated' });
    await renew(dashboard, await world.token(companyId, '5m', { scope: { hide: ['notes'] } }));
    const hidden = await dashboard.receive(of(await emit(id)));
    expect(hidden.payload.appointment.notes).toBeNull();
  });

  test('a token of another company or user, or one that is not valid, changes nothing', async () => {
    const [{ companyId }, other] = [await world.documents.company(), await world.documents.company()];
    const dashboard = await open(companyId, undefined, {
      token: await world.token(companyId, '5m', { sub: 'u' }),
    });
    const tokens = [
      await world.token(other.companyId, '5m', { sub: 'u' }),
      await world.token(companyId, '5m', { sub: 'v' }),
      await world.token(companyId, '5m'),
      await world.token(companyId, -1, { sub: 'u' }),
      'garbage',
    ];
    for (const token of tokens)
      expect(await renew(dashboard, token)).toMatchObject({ ok: false, code: 'TOKEN_INVALID' });
    expect(await renew(dashboard, tokens[0])).toMatchObject({ ok: false, code: 'RATE_LIMITED' });
    expect(dashboard.socket.connected).toBe(true);
  });

  test.each([
    [[]],
    [[null]],
    [['token']],
    [[{ token: 7 }]],
    [[{ token: 't', more: 1 }]],
    [[{ token: 't' }, 1]],
  ])('the arguments %j are refused', async (args) => {
    const { companyId } = await world.documents.company();
    const { socket } = await open(companyId);
    expect(await socket.emitWithAck('emissions:token', ...args)).toMatchObject({
      ok: false,
      code: 'INVALID_REQUEST',
    });
  });
});
