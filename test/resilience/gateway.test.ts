import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { freePort } from '../../scripts/process/free-port.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import type { Company } from '../harness/documents.ts';
import { ownRedis } from '../harness/own-services.ts';
import type { Spawned } from '../harness/processes.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { announceChange } from './bot.ts';
import { allEqualList, openScreen } from './screens.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

let redis: ServiceHandle;
let world: World;
/** The gateway with the fault, and the one that accepts emissions meanwhile. */
let gateway: Spawned;
let other: Spawned;
let port: string;
let company: Company;
beforeAll(async () => {
  [redis, port] = await Promise.all([ownRedis(), freePort().then(String)]);
  world = await createWorld({ redisUrl: redis.url, env: { RECONCILE_INTERVAL_MS: '0' } });
  [gateway, other] = await Promise.all([
    world.apiProcess({ PORT: port }),
    world.apiProcess(),
    world.workerProcess(),
  ]);
});
afterAll(async () => {
  await world.close();
  await redis.stop();
});
beforeEach(async () => {
  company = await world.documents.company();
});

const announce = (appointmentId: string, notes: string) =>
  announceChange(world, other, company, appointmentId, notes);
/** Notes that a plain listener received. It requests no catch-up, so these were delivered live. */
const received = ({ received }: Dashboard) => received.map(({ payload }) => payload.appointment.notes);

test('a gateway is killed and restarted: its dashboards reconnect and receive a replay, without a reload', async () => {
  const screen = await openScreen(world, gateway.url, company.companyId);
  const plain = await world.dashboard(gateway, company.companyId);
  await screen.becomes('live');
  const appointmentId = await company.appointment();

  gateway.kill('SIGKILL');
  await gateway.exited;
  await screen.becomes('connecting');
  await announce(appointmentId, 'missed');
  gateway = await world.apiProcess({ PORT: port });
  await allEqualList(world, other, [screen]);
  expect(screen.shownEvents).toEqual([`appointment:updated ${appointmentId}`]);
  expect([screen.notes(appointmentId), screen.reloads, screen.lists]).toEqual(['missed', [], 1]);

  // Negative control: a listener that sends no position has missed the emission.
  await eventually(
    'the plain listener to reconnect',
    () => plain.socket.connected && plain.positions.length > 1,
  );
  await announce(appointmentId, 'after');
  await eventually('the next one', () => received(plain).includes('after'));
  expect(received(plain)).toEqual(['after']);
});

test('a gateway is frozen and resumed: connected dashboards receive its events late, reconnected ones receive them from another gateway', async () => {
  const network = await startTcpProxy(Number(port));
  world.keep(network, network.close);
  const [stays, leaves] = await Promise.all([
    openScreen(world, gateway.url, company.companyId),
    openScreen(world, `http://127.0.0.1:${network.port}`, company.companyId),
  ]);
  await Promise.all([stays.becomes('live'), leaves.becomes('live')]);
  const appointmentId = await company.appointment();

  gateway.kill('SIGSTOP');
  await announce(appointmentId, 'meanwhile');
  network.leadTo(Number(new URL(other.url).port));
  network.cut();
  await eventually('the reconnected dashboard to show it', () => leaves.notes(appointmentId) === 'meanwhile');
  expect(stays.shownEvents).toEqual([]);

  gateway.kill('SIGCONT');
  await allEqualList(world, other, [stays, leaves]);
  expect([stays.notes(appointmentId), stays.reloads, stays.lists]).toEqual(['meanwhile', [], 1]);
  expect([leaves.reloads, leaves.lists]).toEqual([[], 1]);
});

test('a gateway loses its Redis subscription while it is frozen: its dashboards catch up', async () => {
  const screen = await openScreen(world, gateway.url, company.companyId);
  const plain = await world.dashboard(gateway, company.companyId);
  await screen.becomes('live');
  const appointmentId = await company.appointment();

  gateway.kill('SIGSTOP');
  await world.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await announce(appointmentId, 'meanwhile');
  gateway.kill('SIGCONT');
  await allEqualList(world, other, [screen]);
  expect([screen.notes(appointmentId), screen.reloads, screen.lists]).toEqual(['meanwhile', [], 1]);
  await expectMissed(plain, appointmentId, 'meanwhile');
});

test('a Redis subscription is cut: dashboards catch up on the missed emissions, without a reload', async () => {
  const screen = await openScreen(world, gateway.url, company.companyId);
  const plain = await world.dashboard(gateway, company.companyId);
  await screen.becomes('live');
  const appointmentId = await company.appointment();

  // A gateway subscribes again at once: repeat until one emission falls into the gap.
  const lost = await eventually(
    'an emission to be lost to the gateway',
    async () => {
      const before = received(plain).length;
      await world.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await announce(appointmentId, `cut ${before}`);
      await subscribedAgain();
      await announce(appointmentId, `after ${before}`);
      await eventually('the next one', () => received(plain).includes(`after ${before}`));
      return received(plain).includes(`cut ${before}`) ? undefined : `cut ${before}`;
    },
    60_000,
  );
  await allEqualList(world, other, [screen]);
  expect([screen.reloads, screen.lists]).toEqual([[], 1]);
  await expectMissed(plain, appointmentId, lost);
}, 120_000);

/** Negative control: the gateway delivers the next event, and did not deliver this one. */
async function expectMissed(plain: Dashboard, appointmentId: string, notes: string): Promise<void> {
  await subscribedAgain();
  await announce(appointmentId, 'the next');
  await eventually('the next one', () => received(plain).includes('the next'));
  expect(received(plain)).not.toContain(notes);
}

/** Resolves when both gateways have subscribed. */
async function subscribedAgain(): Promise<void> {
  await eventually('both gateways to have subscribed', async () => {
    const clients = String(await world.redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
    return clients.split('\n').filter((client) => / psub=[1-9]/.test(client)).length >= 2;
  });
}
