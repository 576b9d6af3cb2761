import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Cluster } from 'ioredis';
import { within } from '../../../src/process/lifecycle.ts';
import { connectRedis } from '../../../src/redis/connect.ts';
import { type ClusterNode, ownCluster, type RedisCluster } from '../../harness/own-cluster.ts';
import { freeze } from '../../harness/own-services.ts';
import { eventually } from '../../harness/until.ts';
import { createWorld, type World } from '../../harness/world.ts';

const RECOVERED_MS = 30_000;

let cluster: RedisCluster;
let world: World;
beforeAll(async () => {
  // Without replicas: no other node takes over the slots of a frozen one.
  cluster = await ownCluster({ masters: 3 });
  world = await createWorld({ redisUrl: cluster.url, env: { API_CONCURRENCY: '0' } });
}, 180_000);
afterAll(async () => {
  await world.close();
  await cluster.stop();
});

/** How often clients have asked these nodes whether the Cluster is complete. */
async function completenessChecks(nodes: readonly ClusterNode[]): Promise<number> {
  const stats = await Promise.all(nodes.map(({ client }) => client.info('commandstats')));
  return stats.reduce(
    (sum, text) => sum + Number(/cmdstat_cluster\|info:calls=(\d+)/.exec(text)?.[1] ?? 0),
    0,
  );
}

/** Freezes a node, so that the Cluster is incomplete, until `run` has ended. */
async function whileIncomplete(
  node: ClusterNode,
  run: (rest: ClusterNode[]) => Promise<void>,
): Promise<void> {
  const rest = cluster.nodes.filter((other) => other !== node);
  await freeze(node.service);
  try {
    await eventually('the Cluster to be incomplete', async () => {
      const states = await Promise.all(rest.map(({ client }) => client.cluster('INFO')));
      return states.every((state) => state.includes('cluster_state:fail'));
    });
    await run(rest);
  } finally {
    await node.service.kill('SIGCONT');
  }
  await cluster.settled();
}

test.each([
  ['a connection', (client: Cluster) => client],
  ['its duplicate, as BullMQ makes it', (client: Cluster) => client.duplicate()],
])(
  'connecting to an incomplete Cluster ends when the Cluster is complete: %s',
  async (_, choose) => {
    const first = connectRedis(cluster.url, 'queue') as Cluster;
    const client = choose(first);
    try {
      await eventually('the client to be ready', () => client.status === 'ready');
      const ended = once(client, 'end');
      client.disconnect();
      await ended;
      let connecting: Promise<void> | undefined;
      await whileIncomplete(cluster.nodes[0]!, async (rest) => {
        const before = await completenessChecks(rest);
        connecting = client.connect();
        await eventually('a check', async () => (await completenessChecks(rest)) > before);
      });
      await within(RECOVERED_MS, 'connecting', connecting!);
      expect(client.status).toBe('ready');
    } finally {
      client.disconnect();
      first.disconnect();
    }
  },
  60_000,
);

test('a worker continues after its Cluster was incomplete', async () => {
  const api = await world.ready(world.apiProcess());
  await world.workerProcess();
  const company = await world.documents.company();
  const published = async (): Promise<void> => {
    const response = await world.post(api, 'appointment-created', {
      appointmentId: await company.appointment(),
    });
    expect(response.status).toBe(202);
    const { emissionId } = (await response.json()) as { emissionId: string };
    await eventually(
      'the emission to be published',
      async () => (await world.jobs.stateOf(emissionId)) === 'completed',
      RECOVERED_MS,
    );
  };
  await published();
  await whileIncomplete(await cluster.serving(world.env['QUEUE_PREFIX']!), async (rest) => {
    // BullMQ replaces a silent connection after 6 s. Each new one asks a node.
    const before = await completenessChecks(rest);
    await eventually(
      'the worker to connect again',
      async () => (await completenessChecks(rest)) >= before + 2,
      20_000,
    );
  });
  await published();
}, 120_000);
