import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { freePort } from '../../scripts/process/free-port.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import type { Company } from '../harness/documents.ts';
import { ownRedis } from '../harness/own-services.ts';
import type { Spawned } from '../harness/processes.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { tellChange } from './bot.ts';
import { allEqualList, openScreen } from './screens.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

let redis: ServiceHandle;
let world: World;
/** The gateway that things happen to, and the one that emissions go through meanwhile. */
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

const tell = (appointmentId: string, notes: string) =>
  tellChange(world, other, company, appointmentId, notes);
/** What a plain listener heard, which asks for nothing: what a gateway passed on live. */
const heard = ({ heard }: Dashboard) => heard.map(({ payload }) => payload.appointment.notes);

test('a gateway is killed and restarted: its dashboards reconnect and receive a replay, without a reload', async () => {
  const screen = await openScreen(world, gateway.url, company.companyId);
  const plain = await world.dashboard(gateway, company.companyId);
  await screen.becomes('live');
  const appointmentId = await company.appointment();

  gateway.kill('SIGKILL');
  await gateway.exited;
  await screen.becomes('connecting');
  await tell(appointmentId, 'missed');
  gateway = await world.apiProcess({ PORT: port });
  await allEqualList(world, other, [screen]);
  expect(screen.told).toEqual([`appointment:updated ${appointmentId}`]);
  expect([screen.notes(appointmentId), screen.reloads, screen.lists]).toEqual(['missed', [], 1]);

  // Negative control: who does not tell the place that it had reached has missed it for good.
  await eventually(
    'the plain listener to be back',
    () => plain.socket.connected && plain.positions.length > 1,
  );
  await tell(appointmentId, 'after');
  await eventually('the next one', () => heard(plain).includes('after'));
  expect(heard(plain)).toEqual(['after']);
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
  await tell(appointmentId, 'meanwhile');
  network.leadTo(Number(new URL(other.url).port));
  network.cut();
  await eventually('the one that left to show it', () => leaves.notes(appointmentId) === 'meanwhile');
  expect(stays.told).toEqual([]);

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
  await tell(appointmentId, 'meanwhile');
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

  // A gateway subscribes again within a moment: until one emission has fallen into it.
  const lost = await eventually(
    'an emission to be lost to the gateway',
    async () => {
      const before = heard(plain).length;
      await world.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await tell(appointmentId, `cut ${before}`);
      await subscribedAgain();
      await tell(appointmentId, `after ${before}`);
      await eventually('the next one', () => heard(plain).includes(`after ${before}`));
      return heard(plain).includes(`cut ${before}`) ? undefined : `cut ${before}`;
    },
    60_000,
  );
  await allEqualList(world, other, [screen]);
  expect([screen.reloads, screen.lists]).toEqual([[], 1]);
  await expectMissed(plain, appointmentId, lost);
}, 120_000);

/** Negative control: the gateway passes the next one on, and has not passed that one on. */
async function expectMissed(plain: Dashboard, appointmentId: string, notes: string): Promise<void> {
  await subscribedAgain();
  await tell(appointmentId, 'the next');
  await eventually('the next one', () => heard(plain).includes('the next'));
  expect(heard(plain)).not.toContain(notes);
}

/** Both gateways hear what is published. */
async function subscribedAgain(): Promise<void> {
  await eventually('both gateways to have subscribed', async () => {
    const clients = String(await world.redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
    return clients.split('\n').filter((client) => / psub=[1-9]/.test(client)).length >= 2;
  });
}
