import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { io } from 'socket.io-client';
import type { EmitReply } from '@appointment-emissions/contracts';
import type { Company } from '../../harness/documents.ts';
import { readLog } from '../../harness/log-lines.ts';
import { ownCluster, type RedisCluster } from '../../harness/own-cluster.ts';
import type { Spawned } from '../../harness/processes.ts';
import { eventually } from '../../harness/until.ts';
import { API_KEY, createWorld, type World } from '../../harness/world.ts';
import { admin, type Answer, CREDENTIALS, fleetMetrics } from '../../operate/admin.ts';
import { announceChange } from '../bot.ts';
import { allEqualList, openScreen } from '../screens.ts';
import { startTcpProxy } from '../../harness/tcp-proxy.ts';
import { companiesOnAllNodes } from './companies.ts';

let cluster: RedisCluster;
let world: World;
/** Real processes: two APIs with gateways, two workers; as many companies as nodes, each served by another. */
let [api, other]: Spawned[] = [];
let companies: Company[];
beforeAll(async () => {
  cluster = await ownCluster();
  world = await createWorld({
    redisUrl: cluster.url,
    env: {
      ADMIN_WRITES: 'on',
      EMISSION_ATTEMPTS: '2',
      RECONCILE_INTERVAL_MS: '500',
      CANARY_INTERVAL_MS: '500',
    },
  });
  companies = await companiesOnAllNodes(world, cluster);
  [api, other] = await Promise.all([
    world.ready(world.apiProcess()),
    world.ready(world.apiProcess()),
    world.workerProcess(),
    world.workerProcess(),
  ]);
}, 180_000);
afterAll(async () => {
  await world.close();
  await cluster.stop();
});

const internal = (path: string) =>
  fetch(`${api!.url}/api/v1/internal/${path}`, { headers: { 'x-api-key': API_KEY } });

test.each(['created', 'updated', 'canceled'] as const)(
  'an appointment that is %s reaches the dashboards of its company on both gateways, on any node of the company’s keys',
  async (what) => {
    await Promise.all(
      companies.map(async ({ companyId, appointment }) => {
        const dashboards = await Promise.all(
          [api!, other!].map((gateway) => world.dashboard(gateway, companyId)),
        );
        const emissionId = await world.emit(other!, `appointment-${what}`, await appointment());
        for (const { receive } of dashboards) {
          const { event, payload } = await receive(({ meta }) => meta.emissionId === emissionId);
          expect(event).toBe(`appointment:${what}`);
          expect(payload.appointment.companyId).toBe(companyId);
        }
        // No node counts the subscribers of the others.
        await world.jobIn(emissionId, 'completed');
        const timeline = (await (await internal(`socket/emissions/${emissionId}`)).json()) as Answer;
        expect(timeline).toMatchObject({
          state: 'completed',
          gateways: null,
          publishedAt: expect.any(String),
        });
        dashboards.forEach(({ close }) => {
          close();
        });
      }),
    );
  },
);

test('an appointment that is removed without a call is deleted from the dashboards, on any node of the company’s keys', async () => {
  await Promise.all(
    companies.map(async ({ companyId, appointment }) => {
      const dashboard = await world.dashboard(api!, companyId);
      const appointmentId = await appointment();
      await world.jobIn(await world.emit(api!, 'appointment-created', appointmentId), 'completed');
      const _id = new Types.ObjectId(appointmentId);
      await world.documents.models.Appointment.collection.deleteOne({ _id });
      const { payload, meta } = await dashboard.receive(({ event }) => event === 'appointment:deleted');
      expect(payload).toEqual({ appointment: { _id: appointmentId, companyId } });
      expect(meta.emissionId).toMatch(/^sweep-.*-gone-/);
      dashboard.close();
    }),
  );
});

test('an operator disconnects the dashboards of a company from both gateways', async () => {
  const [{ companyId }] = companies as [Company, ...Company[]];
  const dashboards = await Promise.all([api!, other!].map((gateway) => world.dashboard(gateway, companyId)));
  const { body } = await admin(api!, 'disconnect', { companyId });
  expect(body).toMatchObject({ matched: 2, gateways: 2, unanswered: 0 });
  await eventually('both to be disconnected', () => dashboards.every(({ socket }) => !socket.connected));
});

test('a batch for all companies that is repeated with its key at the other API is emitted once', async () => {
  const ids = await Promise.all(companies.flatMap(({ appointment }) => [appointment(), appointment()]));
  const emissions = ids.map((appointmentId) => ({ event: 'appointment:created', appointmentId }));
  const ask = async (at: Spawned) =>
    (await (await world.post(at, 'batch', { emissions }, { 'idempotency-key': 'batch' })).json()) as Answer;
  const first = await ask(api!);
  expect(first).toMatchObject({ accepted: ids.length, rejected: 0 });
  expect(await ask(other!)).toEqual(first);
  const emissionIds = (first.results as { emissionId: string }[]).map(({ emissionId }) => emissionId);
  await Promise.all(emissionIds.map((id) => world.jobIn(id, 'completed')));
  const { emissions: recent } = (await (
    await internal(`socket/emissions?appointmentId=${ids[0]}`)
  ).json()) as Answer;
  expect(recent).toMatchObject([{ emissionId: emissionIds[0] }]);
});

test('a service emits over its socket', async () => {
  const socket = io(`${api!.url}/internal`, { forceNew: true, auth: { apiKey: API_KEY } });
  world.keep(socket, () => socket.close());
  const [company] = companies;
  const request = { event: 'appointment:updated', appointmentId: await company!.appointment() };
  const reply = (await socket.timeout(15_000).emitWithAck('emit', request)) as EmitReply;
  expect(reply.status).toBe(202);
  await world.jobIn(String(reply['emissionId']), 'completed');
});

test('dashboards whose network was cut receive a replay, on every node, without a reload', async () => {
  const network = await startTcpProxy(Number(new URL(api!.url).port));
  world.keep(network, network.close);
  const screens = await Promise.all(
    companies.map(({ companyId }) => openScreen(world, `http://127.0.0.1:${network.port}`, companyId)),
  );
  await Promise.all(screens.map(({ becomes }) => becomes('live')));
  const ids = await Promise.all(companies.map(({ appointment }) => appointment()));
  network.refuse();
  await Promise.all(screens.map(({ becomes }) => becomes('connecting')));
  await Promise.all(
    companies.map((company, at) => announceChange(world, other!, company, ids[at]!, 'missed')),
  );
  network.mend();
  await allEqualList(world, other!, screens);
  expect(screens.map(({ notes }, at) => notes(ids[at]!))).toEqual(companies.map(() => 'missed'));
  expect(screens.flatMap(({ reloads }) => reloads)).toEqual([]);
  for (const { dashboard } of screens) dashboard.close();
});

test('positions are sent every 10 s, and at once when a subscription is restored', async () => {
  const dashboards = await Promise.all(companies.map(({ companyId }) => world.dashboard(api!, companyId)));
  const minPositions = () => Math.min(...dashboards.map(({ positions }) => positions.length));
  await eventually('the next positions', () => minPositions() > 1);
  const [before, at] = [minPositions(), performance.now()];
  for (const { client } of cluster.nodes) await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await eventually('positions after the restored subscription', () => minPositions() > before);
  expect(performance.now() - at).toBeLessThan(9_000);
  for (const { close } of dashboards) close();
});

test('the sweep finds writes that were not announced, in every company', async () => {
  await Promise.all(
    companies.map(async ({ companyId, appointment }) => {
      const dashboard = await world.dashboard(other!, companyId);
      const appointmentId = await appointment({ notes: 'unannounced' });
      const { event } = await dashboard.receive(({ payload }) => payload.appointment._id === appointmentId);
      expect(event).toBe('appointment:created');
      dashboard.close();
    }),
  );
});

test('failed emissions are shown and retried on Bull Board; written appointments are emitted again', async () => {
  const [company] = companies;
  await world.queue.pause();
  const appointmentId = await company!.appointment();
  const emissionId = await world.emit(api!, 'appointment-created', appointmentId);
  expect((await fleetMetrics(api!)).queue.waiting).toBeGreaterThan(0);
  const restore = await world.documents.giveAway(appointmentId);
  await world.queue.resume();
  await world.jobIn(emissionId, 'failed');
  await restore();

  const dashboard = await world.dashboard(api!, company!.companyId);
  const board = `${api!.url}/admin/queues/api/queues`;
  const headers = { authorization: CREDENTIALS, origin: api!.url };
  const failed = await fetch(`${board}?activeQueue=appointment-emissions&status=failed&page=1`, { headers });
  expect(((await failed.json()) as Answer).queues[0].jobs[0].id).toBe(emissionId);
  const retried = await fetch(`${board}/appointment-emissions/${emissionId}/retry`, {
    method: 'PUT',
    headers,
  });
  expect(retried.status).toBe(204);
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);

  const again = await admin(api!, 're-emit', { appointmentId, since: '1h' });
  expect(again.body).toMatchObject({ matched: 1, repaired: 1 });
  const { emissionId: next } = again.body.emissions[0];
  await dashboard.receive(({ meta }) => meta.emissionId === next);
  expect((await admin(api!, 'retry-failed', { since: '1h' })).body).toMatchObject({ matched: 0 });
  dashboard.close();
});

test('counts, depth, heartbeats and canaries cover the fleet, from any API', async () => {
  for (const request of [api!, other!]) {
    const { fleet, overall } = await eventually('the fleet to be seen', async () => {
      const reading = await fleetMetrics(request);
      // One was made to fail, before it was retried.
      return reading.overall.total.failed === 1 ? reading : undefined;
    });
    const { api: apis, gateway, worker } = fleet.processes;
    expect([apis.length, gateway.length, worker.length]).toEqual([2, 2, 2]);
    // A canary came back to each within its last few intervals.
    for (const { sinceProgressMs } of gateway) expect(sinceProgressMs).toBeLessThan(15_000);
    expect(overall.total.accepted).toBeGreaterThan(companies.length * 5);
    const text = await (await fetch(`${request.url}/metrics`, { headers: { 'x-api-key': API_KEY } })).text();
    expect(text).toMatch(/^emission_fleet_processes\{role="worker"\} 2$/m);
    expect(text).toMatch(/^emission_fleet_readable 1$/m);
    expect(text).toMatch(/^emission_queue_jobs\{state="waiting"\} \d+$/m);
    expect((await fetch(`${request.url}/livez`)).status).toBe(200);
  }
});

test('a caller’s rate is counted across two APIs', async () => {
  const [one, two] = await Promise.all([
    world.api({ MAX_REQUESTS_PER_SECOND: '2' }),
    world.api({ MAX_REQUESTS_PER_SECOND: '2' }),
  ]);
  const ask = async (at: { url: string }) => (await world.post(at, 'appointment-updated', {})).status;
  await eventually('one to refuse', async () => (await ask(one)) === 429);
  await eventually('the other one to refuse too', async () => (await ask(two)) === 429);
  await Promise.all([one.close(), two.close()]);
});

test('readiness checks the eviction policy of every node', async () => {
  const [, node] = cluster.nodes;
  await node!.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const health = (await (await fetch(`${api!.url}/health`)).json()) as Answer;
  await node!.client.config('SET', 'maxmemory-policy', 'noeviction');
  expect(health.checks.redis).toEqual({
    ok: false,
    detail: expect.stringContaining(`allkeys-lru on 127.0.0.1:${node!.service.port}`),
  });
  expect((await fetch(`${api!.url}/readyz`)).status).toBe(200);
});

test('every node has keys of a company; no command crossed slots, and no redirection surfaced', async () => {
  const nodes = await Promise.all(
    cluster.nodes.map(async ({ client }) => await client.keys(world.keys.position('*'))),
  );
  expect(nodes.every((keys) => keys.length > 0)).toBe(true);
  const log = readLog(world.env['LOG_DIR']!);
  expect(log.split('\n').filter((line) => /CROSSSLOT|MOVED|same slot|redirections/.test(line))).toEqual([]);
});
