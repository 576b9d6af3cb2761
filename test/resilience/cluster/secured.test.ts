import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Company } from '../../harness/documents.ts';
import { ownCluster, type RedisCluster } from '../../harness/own-cluster.ts';
import type { Spawned } from '../../harness/processes.ts';
import { addClusterUsers, CLUSTER_LOGIN, readDenials } from '../../harness/redis-users.ts';
import { startTcpProxy, type TcpProxy } from '../../harness/tcp-proxy.ts';
import { eventually } from '../../harness/until.ts';
import { createWorld, type World } from '../../harness/world.ts';
import { companiesOnAllNodes } from './companies.ts';

const TLS = new URL('../../harness/fixtures/tls/', import.meta.url);
const SERVER = {
  cert: readFileSync(new URL('server.pem', TLS)),
  key: readFileSync(new URL('server.key', TLS)),
};

let cluster: RedisCluster;
/** Proxies at the announced address of each node. They speak TLS, for which the tests' Redis may not be built. */
let fronts: TcpProxy[];
let world: World;
let api: Spawned;
let companies: Company[];
beforeAll(async () => {
  cluster = await ownCluster();
  fronts = await Promise.all(
    cluster.nodes.map(async ({ client, service }) => {
      const front = await startTcpProxy(service.port, undefined, SERVER);
      await client.config('SET', 'cluster-announce-port', front.port);
      await client.config('SET', 'cluster-announce-hostname', 'localhost');
      await client.config('SET', 'cluster-preferred-endpoint-type', 'hostname');
      return front;
    }),
  );
  world = await createWorld({ redisUrl: cluster.url, env: { RECONCILE_INTERVAL_MS: '500' } });
  const names = { prefix: world.env['QUEUE_PREFIX']!, adapterKey: world.env['SOCKET_ADAPTER_KEY']! };
  for (const { client } of cluster.nodes) await addClusterUsers(client, names);
  companies = await companiesOnAllNodes(world, cluster);
  [api] = await Promise.all([
    world.ready(world.apiProcess(as('api', 'ca.pem'))),
    world.workerProcess(as('worker', 'ca.pem')),
  ]);
}, 180_000);
afterAll(async () => {
  await world.close();
  await Promise.all(fronts.map((front) => front.close()));
  await cluster.stop();
});

/** Settings of a process: its user, and whom it trusts, which Node reads at its start. */
const as = (user: 'api' | 'worker', ca: string) => ({
  REDIS_URL: fronts.map(({ port }) => `rediss://${CLUSTER_LOGIN[user]}@localhost:${port}`).join(','),
  NODE_EXTRA_CA_CERTS: fileURLToPath(new URL(ca, TLS)),
});

test('with TLS and the users of least privilege, each company of a Cluster receives its appointments', async () => {
  for (const { companyId, appointment } of companies) {
    const dashboard = await world.dashboard(api, companyId);
    const emissionId = await world.emit(api, 'appointment-created', await appointment());
    await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  }
  for (const { client } of cluster.nodes) expect(await readDenials(client)).toEqual([]);
});

test('a Cluster with certificates of another authority receives nothing, and /health gives the reason', async () => {
  const stranger = await world.apiProcess(as('api', 'other-ca.pem'));
  const appointmentId = await companies[0]!.appointment();
  expect((await world.post(stranger, 'appointment-created', { appointmentId })).status).toBe(503);
  const why = /certificate.*NODE_EXTRA_CA_CERTS/;
  await eventually('health to give the reason', async () =>
    why.test(await (await fetch(`${stranger.url}/health`)).text()),
  );
  expect(stranger.output()).toMatch(why);
});
