import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { StreamPosition, PositionUpdate } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import type { Company } from '../harness/documents.ts';
import { until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const MAX_REPLAYED_EMISSIONS = 4;
const COMPANY_LOG_MAX = 5;

let world: World;
let api: RunningApi;
let company: Company;
beforeAll(async () => {
  world = await createWorld({
    env: { RECONCILE_INTERVAL_MS: '0', COMPANY_LOG_MAX: String(COMPANY_LOG_MAX) },
    limits: { MAX_REPLAYED_EMISSIONS },
  });
  api = await world.api();
  world.worker();
});
beforeEach(async () => {
  company = await world.documents.company();
});
afterAll(() => world.close());

const open = (position?: StreamPosition) => world.dashboard(api, company.companyId, position && { position });
/** Emits one after the other, so that their order in the log is known. */
async function emit(appointmentIds: readonly string[], slug = 'appointment-updated'): Promise<string[]> {
  const emitted = [];
  for (const appointmentId of appointmentIds) {
    const emissionId = await world.emit(api, slug, appointmentId);
    await world.jobIn(emissionId, 'completed');
    emitted.push(emissionId);
  }
  return emitted;
}
const catchUp = ({ socket }: Dashboard, from: unknown): Promise<PositionUpdate> =>
  socket.timeout(10_000).emitWithAck('emissions:catch-up', from) as Promise<PositionUpdate>;
const emissionIds = ({ received }: Dashboard) => received.map(({ meta }) => meta.emissionId);

describe('a dashboard that reconnects', () => {
  test('receives the missed emissions in order, as the newest snapshots, and then its position', async () => {
    const before = await open();
    const [appointmentId, other] = [await company.appointment(), await company.appointment()];
    const [seen] = await emit([appointmentId]);
    await before.receive(({ meta }) => meta.emissionId === seen);
    before.close();
    const { epoch, offset } = before.received[0]!.meta;

    const created = await emit([other], 'appointment-created');
    await company.change(appointmentId, { status: 'canceled' });
    const canceled = await emit([appointmentId], 'appointment-canceled');
    const again = await open({ epoch, offset });

    expect(again.received.map(({ event, meta }) => [event, meta.emissionId])).toEqual([
      ['appointment:created', created[0]],
      ['appointment:canceled', canceled[0]],
    ]);
    expect(again.received.map(({ meta }) => meta.replayed)).toEqual([true, true]);
    expect(again.received[1]!.payload.appointment).toMatchObject({
      _id: appointmentId,
      status: 'canceled',
      customerId: { fullName: 'Ann Bauer' },
    });
    expect(again.positions[0]).toEqual({ epoch, offset: 3, recovered: true });
    for (const { meta } of again.received) expect(meta).toMatchObject({ epoch, offset: 3 });
    expect(again.received[1]!.meta.read).toBeGreaterThan(0);
  });

  test('receives no emission twice, replayed and live, if it reconnects during emissions', async () => {
    const appointmentId = await company.appointment();
    const [first] = await emit([appointmentId]);
    const { epoch } = (await open()).positions[0]!;
    const emitting = emit([appointmentId, appointmentId, appointmentId]);
    const dashboard = await open({ epoch, offset: 0 });
    const emitted = [first, ...(await emitting)];
    await dashboard.receive(({ meta }) => meta.emissionId === emitted.at(-1));
    // An emission between joining and replay may arrive twice: once live, and once marked as replayed.
    expect(new Set(emissionIds(dashboard))).toEqual(new Set(emitted));
    const live = dashboard.received.filter(({ meta }) => !meta.replayed).map(({ meta }) => meta.offset);
    expect(live).toEqual([...new Set(live)].sort());
  });

  test('receives only its position if it missed nothing', async () => {
    const [emissionId] = await emit([await company.appointment()]);
    const { epoch } = (await open()).positions[0]!;
    const dashboard = await open({ epoch, offset: 1 });
    expect(emissionIds(dashboard)).not.toContain(emissionId);
    expect(dashboard.positions[0]).toEqual({ epoch, offset: 1, recovered: true });
  });
});

describe('if missed emissions cannot be replayed, the dashboard must reload, with a reason', () => {
  test('another epoch', async () => {
    await emit([await company.appointment()]);
    const dashboard = await open({ epoch: 'another-epoch', offset: 1 });
    expect(dashboard.positions[0]).toMatchObject({ offset: 1, recovered: false, reason: 'epoch' });
    expect(dashboard.received).toEqual([]);
  });

  test('a position ahead of the log', async () => {
    const { epoch } = (await open()).positions[0]!;
    const dashboard = await open({ epoch, offset: 99 });
    expect(dashboard.positions[0]).toEqual({ epoch, offset: 0, recovered: false, reason: 'epoch' });
  });

  test('more emissions than one replay may contain', async () => {
    const { epoch } = (await open()).positions[0]!;
    const appointmentId = await company.appointment();
    await emit(Array.from({ length: MAX_REPLAYED_EMISSIONS + 1 }, () => appointmentId));
    const dashboard = await open({ epoch, offset: 0 });
    expect(dashboard.positions[0]).toEqual({
      epoch,
      offset: MAX_REPLAYED_EMISSIONS + 1,
      recovered: false,
      reason: 'too-many',
    });
  });

  test('emissions that the log no longer holds', async () => {
    const { epoch } = (await open()).positions[0]!;
    const appointmentId = await company.appointment();
    await emit(Array.from({ length: COMPANY_LOG_MAX + 2 }, () => appointmentId));
    const roomy = await world.api({}, { MAX_REPLAYED_EMISSIONS: 100 });
    const dashboard = await world.dashboard(roomy, company.companyId, { position: { epoch, offset: 1 } });
    expect(dashboard.positions[0]).toMatchObject({ recovered: false, reason: 'trimmed' });
    const reached = await world.dashboard(roomy, company.companyId, { position: { epoch, offset: 2 } });
    expect(reached.positions[0]).toMatchObject({ recovered: true });
    expect(reached.received).toHaveLength(COMPANY_LOG_MAX);
    await roomy.close();
  });

  test('an appointment that another company has; the others are still replayed', async () => {
    const { epoch } = (await open()).positions[0]!;
    const [foreign, kept] = [await company.appointment(), await company.appointment()];
    const [, still] = await emit([foreign, kept]);
    await world.documents.giveAway(foreign);
    const dashboard = await open({ epoch, offset: 0 });
    expect(dashboard.positions[0]).toEqual({ epoch, offset: 2, recovered: false, reason: 'gone' });
    expect(emissionIds(dashboard)).toEqual([still]);
  });
});

describe('a dashboard that requests a catch-up', () => {
  test('gets the same position as acknowledgement and as event', async () => {
    const dashboard = await open();
    const { epoch } = dashboard.positions[0]!;
    const emitted = await emit([await company.appointment(), await company.appointment()]);
    await dashboard.receive(({ meta }) => meta.emissionId === emitted[1]);
    dashboard.received.length = 0;

    const answer = await catchUp(dashboard, { epoch, offset: 0 });
    expect(answer).toEqual({ epoch, offset: 2, recovered: true });
    expect(dashboard.positions.at(-1)).toEqual(answer);
    expect(dashboard.received.map(({ meta }) => [meta.emissionId, meta.replayed])).toEqual(
      emitted.map((emissionId) => [emissionId, true]),
    );
  });

  test('from an invalid position, without an acknowledgement, stays connected', async () => {
    const dashboard = await open();
    const { socket } = dashboard;
    const { epoch } = dashboard.positions[0]!;
    const place = { epoch, offset: 0 };
    const nonsense = [
      undefined,
      null,
      42,
      'x',
      [],
      {},
      { epoch },
      { ...place, offset: -1 },
      { ...place, offset: 1.5 },
      { ...place, offset: '0' },
      { epoch: 'x'.repeat(65), offset: 0 },
      { epoch: { $ne: '' }, offset: 0 },
    ];
    for (const requested of nonsense) socket.emit('emissions:catch-up', requested);
    socket.emit('emissions:catch-up');
    socket.emit('emissions:catch-up', place, 'no function');
    socket.emit('constructor', '__proto__');
    expect(await catchUp(dashboard, place)).toEqual({ ...place, recovered: true });
    expect(socket.connected).toBe(true);
  });

  test('too often gets the reason and its own position', async () => {
    const dashboard = await open();
    const { epoch } = dashboard.positions[0]!;
    const answers = await Promise.all(
      Array.from({ length: 15 }, () => catchUp(dashboard, { epoch, offset: 0 })),
    );
    const limited = answers.filter(({ reason }) => reason === 'rate-limited');
    expect(limited).toEqual(
      Array.from({ length: 5 }, () => ({ epoch, offset: 0, recovered: false, reason: 'rate-limited' })),
    );
  });

  test('with a message that is too large is disconnected', async () => {
    const dashboard = await open();
    const cut = until(
      'the socket to be cut off',
      new Promise((resolve) => dashboard.socket.once('disconnect', resolve)),
    );
    dashboard.socket.emit('emissions:catch-up', { epoch: 'x'.repeat(20_000), offset: 0 });
    await cut;
  });
});
