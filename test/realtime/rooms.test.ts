import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
let [one, two]: RunningApi[] = [];
let [ours, theirs]: Company[] = [];
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  [one, two] = await Promise.all([world.api(), world.api()]);
  [ours, theirs] = await Promise.all([world.documents.company(), world.documents.company()]);
  world.worker();
});
afterAll(() => world.close());

/** Emits for both companies and waits until each has received its own emission. */
async function emitForBoth(dashboards: { our: Dashboards; their: Dashboards }) {
  const [our, their] = [
    await world.emit(one!, 'appointment-created', await ours!.appointment()),
    await world.emit(two!, 'appointment-created', await theirs!.appointment()),
  ];
  await Promise.all([
    ...dashboards.our.map((dashboard) => dashboard.receive(({ meta }) => meta.emissionId === our)),
    ...dashboards.their.map((dashboard) => dashboard.receive(({ meta }) => meta.emissionId === their)),
  ]);
}
type Dashboards = Awaited<ReturnType<World['dashboard']>>[];
const companiesReceived = (dashboards: Dashboards) =>
  dashboards.map(({ received }) => new Set(received.map(({ payload }) => payload.appointment.companyId)));

test('both gateways deliver to their dashboards, and each company receives only its own emissions', async () => {
  const our = [await world.dashboard(one!, ours!.companyId), await world.dashboard(two!, ours!.companyId)];
  const their = [
    await world.dashboard(one!, theirs!.companyId),
    await world.dashboard(two!, theirs!.companyId),
  ];
  await emitForBoth({ our, their });
  expect(companiesReceived(our)).toEqual(our.map(() => new Set([ours!.companyId])));
  expect(companiesReceived(their)).toEqual(their.map(() => new Set([theirs!.companyId])));
  for (const dashboard of [...our, ...their]) dashboard.close();
});

test('no handshake or event of a client makes it join another room', async () => {
  const spy = await world.dashboard(one!, ours!.companyId, {
    socketOptions: {
      auth: { token: await world.token(ours!.companyId), companyId: theirs!.companyId, room: 'x' },
      query: { companyId: theirs!.companyId, room: `company:${theirs!.companyId}` },
    },
  });
  const room = `company:${theirs!.companyId}`;
  for (const name of ['join', 'subscribe', 'room', 'joinRoom', 'message']) {
    spy.socket.emit(name, room);
    spy.socket.emit(name, { room, companyId: theirs!.companyId });
  }
  const their = await world.dashboard(one!, theirs!.companyId);
  await emitForBoth({ our: [spy], their: [their] });
  expect(companiesReceived([spy])).toEqual([new Set([ours!.companyId])]);
  spy.close();
  their.close();
});

test('a company id in capitals joins the same room', async () => {
  const dashboard = await world.dashboard(one!, ours!.companyId, {
    token: await world.token(ours!.companyId.toUpperCase()),
  });
  const emissionId = await world.emit(one!, 'appointment-updated', await ours!.appointment());
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  dashboard.close();
});
