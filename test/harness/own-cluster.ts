import { Redis } from 'ioredis';
import { freePort } from '../../scripts/process/free-port.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { ownRedis } from './own-services.ts';
import { eventually } from './until.ts';

const SLOTS = 16_384;
/** Of a node that others believe to be alive. */
const NODE_TIMEOUT_MS = 2_000;

export interface ClusterNode {
  service: ServiceHandle;
  /** To this node and no other: for the test's own questions. */
  client: Redis;
  /** Its name within the Cluster. */
  id: string;
  /** Where the other nodes talk to it. */
  busPort: number;
}

export type RedisCluster = Awaited<ReturnType<typeof ownCluster>>;

/** A Redis Cluster of the test's own, its slots spread evenly over the masters. The test stops it. */
export async function ownCluster({ masters = 3, replicas = 0 } = {}) {
  const nodes = await Promise.all(Array.from({ length: masters + replicas }, startNode));
  const heads = nodes.slice(0, masters);
  const width = Math.ceil(SLOTS / masters);
  await Promise.all(
    heads.map(async ({ client }, index) => {
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      const last = Math.min((index + 1) * width, SLOTS) - 1;
      await client.call('CLUSTER', 'ADDSLOTSRANGE', index * width, last);
    }),
  );
  const [first] = heads;
  for (const { client } of nodes.slice(1))
    await client.call('CLUSTER', 'MEET', '127.0.0.1', first!.service.port, first!.busPort);
  await settled();
  await Promise.all(
    nodes.slice(masters).map(async ({ client }, index) => {
      await client.call('CLUSTER', 'REPLICATE', heads[index % masters]!.id);
      await eventually('a replica to be in step', async () =>
        (await client.info('replication')).includes('master_link_status:up'),
      );
    }),
  );
  await settled();

  /** All nodes know one another, and every slot is served. */
  async function settled(): Promise<void> {
    await eventually(
      'the Cluster to be whole',
      async () => {
        const states = await Promise.all(nodes.map(({ client }) => client.cluster('INFO')));
        return states.every(
          (state) =>
            state.includes('cluster_state:ok') && state.includes(`cluster_known_nodes:${nodes.length}\r`),
        );
      },
      30_000,
    );
  }

  /** Whichever node answers first: some may be killed or frozen. */
  const ask = <T>(question: (client: Redis) => Promise<T>) =>
    Promise.any(nodes.map(({ client }) => question(client)));

  /** Ranges of slots, and who serves each now. */
  async function ranges() {
    const found = await ask((client) => client.cluster('SLOTS'));
    return found.map(([first, last, master]) => ({
      first,
      last,
      node: nodes.find(({ id }) => id === master?.[2])!,
    }));
  }
  const slotOf = (key: string) => ask((client) => client.cluster('KEYSLOT', key));

  async function serving(key: string): Promise<ClusterNode> {
    const slot = await slotOf(key);
    return (await ranges()).find(({ first, last }) => first <= slot && slot <= last)!.node;
  }

  return {
    /** As REDIS_URL: those that were masters at first. */
    url: heads.map(({ service }) => service.url).join(','),
    nodes,
    settled,
    /** Those that are masters now. */
    masters: async () => [...new Set((await ranges()).map(({ node }) => node))],
    /** Which of them serves a key. */
    serving,
    /** Moves a key's slot, with all that is in it. */
    async moveSlot(key: string, to: ClusterNode): Promise<void> {
      const [slot, from] = [await slotOf(key), await serving(key)];
      await from.client.call('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', slot, slot, 'NODE', to.id);
      await eventually('the slot to be moved', async () => (await serving(key)) === to);
    },
    async stop(): Promise<void> {
      await Promise.all(
        nodes.map(async ({ service, client }) => {
          client.disconnect();
          await service.kill();
          await service.stop();
        }),
      );
    },
  };
}

async function startNode(): Promise<ClusterNode> {
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-port': await freePort(),
    'cluster-node-timeout': NODE_TIMEOUT_MS,
    // A replica that has waited for nobody takes over as soon as its master is believed to be dead.
    'cluster-replica-validity-factor': 0,
    'repl-diskless-sync-delay': 0,
  };
  const extraArgs = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const service = await ownRedis({ extraArgs });
  const client = new Redis(service.url, { replyMapping: 'legacy', commandTimeout: 3_000 });
  client.on('error', () => undefined);
  return {
    service,
    client,
    id: String(await client.call('CLUSTER', 'MYID')),
    busPort: settings['cluster-port'],
  };
}
