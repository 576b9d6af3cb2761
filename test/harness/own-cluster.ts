import { Redis } from 'ioredis';
import { freePort } from '../../scripts/process/free-port.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { ownRedis } from './own-services.ts';
import { eventually } from './until.ts';

const SLOTS = 16_384;
/** After this time without a reply, the other nodes consider a node failed. */
const NODE_TIMEOUT_MS = 2_000;
const KEYS_PER_MOVE = 10;
const MOVE_TIMEOUT_MS = 5_000;

export interface ClusterNode {
  service: ServiceHandle;
  /** Connected to this node only, for the test's own commands. */
  client: Redis;
  /** The node's id within the Cluster. */
  id: string;
  /** Port for the other nodes. */
  busPort: number;
}

export type RedisCluster = Awaited<ReturnType<typeof ownCluster>>;

/** Starts a Redis Cluster for one test, with its slots spread evenly over the masters. The test must stop it. */
export async function ownCluster({ masters = 3, replicas = 0 } = {}) {
  const nodes = await Promise.all(Array.from({ length: masters + replicas }, startNode));
  const heads = nodes.slice(0, masters);
  const settled = (): Promise<void> => waitUntilComplete(nodes);
  await assignSlots(heads);
  await joinNodes(nodes);
  await settled();
  await attachReplicas(nodes.slice(masters), heads);
  await settled();

  /** The first reply of any node: some may be killed or frozen. */
  const queryAny = <T>(query: (client: Redis) => Promise<T>) =>
    Promise.any(nodes.map(({ client }) => query(client)));

  /** Ranges of slots, and the node that serves each now. */
  async function ranges() {
    const found = await queryAny((client) => client.cluster('SLOTS'));
    return found.map(([first, last, master]) => ({
      first,
      last,
      node: nodes.find(({ id }) => id === master?.[2])!,
    }));
  }
  const slotOf = (key: string) => queryAny((client) => client.cluster('KEYSLOT', key));

  async function serving(key: string): Promise<ClusterNode> {
    const slot = await slotOf(key);
    return (await ranges()).find(({ first, last }) => first <= slot && slot <= last)!.node;
  }

  return {
    /** For REDIS_URL: the nodes that were masters at first. */
    url: heads.map(({ service }) => service.url).join(','),
    nodes,
    /** Resolves when all nodes know one another, and every slot is served. */
    settled,
    /** The nodes that are masters now. */
    masters: async () => [...new Set((await ranges()).map(({ node }) => node))],
    /** The node that serves a key. */
    serving,
    /** Moves a key's slot, with all its keys. */
    async moveSlot(key: string, to: ClusterNode): Promise<void> {
      const [slot, from] = [await slotOf(key), await serving(key)];
      const help = await from.client.call('CLUSTER', 'HELP');
      // Of Valkey 9. It moves a slot as a whole.
      if (String(help).includes('MIGRATESLOTS'))
        await from.client.call('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', slot, slot, 'NODE', to.id);
      else await moveKeyByKey(slot, { from, to, nodes });
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

/** As `redis-cli --cluster reshard` does. */
async function moveKeyByKey(
  slot: number,
  { from, to, nodes }: { from: ClusterNode; to: ClusterNode; nodes: readonly ClusterNode[] },
): Promise<void> {
  await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
  const nextKeys = () => from.client.cluster('GETKEYSINSLOT', slot, KEYS_PER_MOVE);
  for (let keys = await nextKeys(); keys.length > 0; keys = await nextKeys())
    await from.client.call('MIGRATE', '127.0.0.1', to.service.port, '', 0, MOVE_TIMEOUT_MS, 'KEYS', ...keys);
  // The new owner first, so that the slot is never without one. Replicas learn it from their masters.
  await to.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
  const others = nodes.filter((node) => node !== to);
  await Promise.allSettled(
    others.map(({ client }) => client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)),
  );
}

/** Spreads all slots over the masters, each with its own epoch. */
async function assignSlots(heads: ClusterNode[]): Promise<void> {
  const width = Math.ceil(SLOTS / heads.length);
  await Promise.all(
    heads.map(async ({ client }, index) => {
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      const last = Math.min((index + 1) * width, SLOTS) - 1;
      await client.call('CLUSTER', 'ADDSLOTSRANGE', index * width, last);
    }),
  );
}

/** Introduces all nodes to the first one. */
async function joinNodes([first, ...others]: ClusterNode[]): Promise<void> {
  for (const { client } of others)
    await client.call('CLUSTER', 'MEET', '127.0.0.1', first!.service.port, first!.busPort);
}

/** Spreads the replicas over the masters, and waits until their data is in sync. */
async function attachReplicas(replicas: ClusterNode[], heads: ClusterNode[]): Promise<void> {
  await Promise.all(
    replicas.map(async ({ client }, index) => {
      await client.call('CLUSTER', 'REPLICATE', heads[index % heads.length]!.id);
      await eventually('a replica to be in sync', async () =>
        (await client.info('replication')).includes('master_link_status:up'),
      );
    }),
  );
}

async function waitUntilComplete(nodes: ClusterNode[]): Promise<void> {
  await eventually(
    'the Cluster to be complete',
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

async function startNode(): Promise<ClusterNode> {
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-port': await freePort(),
    'cluster-node-timeout': NODE_TIMEOUT_MS,
    // A replica takes over as soon as its master has failed, no matter how old its data is.
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
