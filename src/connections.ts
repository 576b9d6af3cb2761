import { Cluster, Redis, type ClusterNode, type RedisOptions as AnyRedisOptions } from 'ioredis';

/** RESP3's replies are kept in their RESP2 shape: BullMQ and the Socket.IO adapter expect it. */
type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'> & { replyMapping: 'legacy' };

export type RedisClient = Redis | Cluster;

/**
 * How a connection behaves while Redis is away.
 * - `request`: an answer is owed to somebody: fails at once when disconnected, after a second when frozen.
 * - `queue`: BullMQ's worker: waits for Redis to come back, for ever.
 * - `subscriber`: Pub/Sub of a gateway: waits, and subscribes again.
 */
export type ConnectionRole = 'request' | 'queue' | 'subscriber';

const COMMAND_TIMEOUT_MS = 900;
/**
 * A connection on which nothing arrives for so long, though something was asked, is given up for a new one: after a
 * failover of the network nobody closes it, and TCP itself would take a quarter of an hour. BullMQ's blocking reads
 * take up to 10 s.
 */
const SILENCE_MS = { request: 2_000, queue: 12_000 };

const BASE: RedisOptions = {
  replyMapping: 'legacy',
  connectTimeout: 2_000,
  keepAlive: 10_000,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
};

const BY_ROLE: Record<ConnectionRole, Partial<RedisOptions>> = {
  request: {
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    socketTimeout: SILENCE_MS.request,
  },
  queue: { maxRetriesPerRequest: null, socketTimeout: SILENCE_MS.queue },
  subscriber: { maxRetriesPerRequest: null, autoResubscribe: true },
};

/**
 * Connects to what REDIS_URL names: `redis://…` a server, `redis://a,redis://b` a Cluster by some of its nodes,
 * `redis+sentinel://user:pass@s1:26379,s2:26379/master/0` the master that the sentinels know.
 * Never throws for a server that is away: it goes on trying.
 */
export function connectRedis(
  url: string,
  role: ConnectionRole,
  onError: (error: Error) => void,
): RedisClient {
  const client = create(url, { ...BASE, ...BY_ROLE[role] });
  client.on('error', onError);
  return client;
}

/** Resolves when commands can be sent; never rejects. */
export async function whenReady(client: RedisClient): Promise<void> {
  if (client.status !== 'ready') await new Promise<void>((resolve) => client.once('ready', resolve));
}

function create(url: string, options: RedisOptions): RedisClient {
  if (url.startsWith('redis+sentinel://')) return new Redis({ ...options, ...sentinelOptions(url) });
  const nodes = url.split(',');
  if (nodes.length === 1) return new Redis(url, options);
  return new Cluster(nodes.map(clusterNode), {
    redisOptions: { ...options, ...credentials(nodes[0] ?? '') },
    enableOfflineQueue: options.enableOfflineQueue ?? true,
    ...(options.retryStrategy && { clusterRetryStrategy: (times: number) => Math.min(100 * times, 1_000) }),
  });
}

function clusterNode(url: string): ClusterNode {
  const { hostname, port } = new URL(url.includes('://') ? url : `redis://${url}`);
  return { host: hostname, port: Number(port || 6379) };
}

function credentials(url: string): Partial<RedisOptions> {
  const { username, password, protocol } = new URL(url);
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  };
}

function sentinelOptions(url: string): Partial<RedisOptions> {
  const [authority = '', path = ''] = url.slice('redis+sentinel://'.length).split(/\/(.*)/s);
  const hosts = authority.slice(authority.lastIndexOf('@') + 1).split(',');
  const [name = 'mymaster', db = '0'] = path.split('/');
  return {
    ...(authority.includes('@') && credentials(`redis://${authority.split('@')[0] ?? ''}@host`)),
    sentinels: hosts.map((host) => {
      const { hostname, port } = new URL(`redis://${host}`);
      return { host: hostname, port: Number(port || 26379) };
    }),
    name,
    db: Number(db),
  };
}
