import { Cluster, Redis, type RedisOptions as AnyRedisOptions } from 'ioredis';
import { createAnyNodeConnector } from './any-node-connector.ts';
import { describeAccessError, isMissingDatabase } from './access-errors.ts';
import { type Address, readRedisUrl, type RedisTarget } from '../settings/redis-url.ts';

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
 * take up to 10 s. A subscription is asked something now and then, since nobody may publish for long.
 */
const SILENCE_MS = { request: 2_000, queue: 12_000, subscriber: 2_000 };
const ASK_SUBSCRIPTION_EVERY_MS = 10_000;

const BASE: RedisOptions = {
  replyMapping: 'legacy',
  // CLIENT SETINFO exists from Redis 7.2 on. Redis 7.0 and older do not load an ACL file that names it.
  disableClientInfo: true,
  connectTimeout: 2_000,
  keepAlive: 10_000,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  // A master that has become a replica may keep its connections: only a new one leads to the master of now.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
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
  subscriber: {
    maxRetriesPerRequest: null,
    autoResubscribe: true,
    socketTimeout: SILENCE_MS.subscriber,
  },
};

/** A command that can't be placed is tried again each 100 ms: so often, that an answer is still owed in time. */
const REDIRECTIONS = { request: 8, queue: 16 };

/**
 * Connects to what REDIS_URL names: `redis://…` a server, `redis://a,redis://b` a Cluster by some of its nodes,
 * `redis+sentinel://user:pass@s1:26379,s2:26379/master/0` the master that the sentinels know.
 * Never throws for a server that is away: it goes on trying. Its outages are logged by `watchConnections`.
 */
export function connectRedis(
  url: string,
  role: ConnectionRole,
  onError: (error: Error) => void = () => undefined,
): RedisClient {
  const client = create(url, role);
  client.on('error', onError);
  client.on('error', (error) => {
    // ioredis would go on in database 0.
    if (client instanceof Redis && isMissingDatabase(error)) client.disconnect(true);
  });
  if (role === 'subscriber') askNowAndThen(client);
  return client;
}

/** Resolves, with words for the operator, when the server has been found not to let us into the database of REDIS_URL. */
export function whenDatabaseMissing(client: RedisClient): Promise<string> {
  return new Promise((resolve) => {
    client.on('error', (error) => {
      if (isMissingDatabase(error)) resolve(describeAccessError(error));
    });
  });
}

/** Resolves when commands can be sent; never rejects. */
export async function whenReady(client: RedisClient): Promise<void> {
  if (client.status !== 'ready') await new Promise<void>((resolve) => client.once('ready', resolve));
}

function create(url: string, role: ConnectionRole): RedisClient {
  const target = readRedisUrl(url);
  const options = { ...BASE, ...BY_ROLE[role], ...loginOf(target) };
  if (target.kind === 'sentinel') return new Redis({ ...options, ...sentinelOptions(target) });
  const { kind, nodes, tls, database } = target;
  const redisOptions = { ...options, ...(tls && { tls: {} }) };
  if (kind === 'server') return new Redis({ ...redisOptions, ...nodes[0], db: database });
  if (role === 'subscriber') return subscribeAnywhere(nodes, redisOptions);
  const cluster = new Cluster([...nodes], {
    redisOptions,
    enableOfflineQueue: options.enableOfflineQueue ?? true,
    maxRedirections: REDIRECTIONS[role],
    clusterRetryStrategy: (times: number) => Math.min(100 * times, 1_000),
    // Certificates hold names: to resolve one first, as is usual, would leave an address to compare with.
    ...(redisOptions.tls && {
      dnsLookup: (host, found) => {
        found(null, host);
      },
    }),
  });
  // Else the first commands to each node would find it still connecting.
  cluster.on('+node', (node: Redis) => void node.connect().catch(() => undefined));
  return cluster;
}

/**
 * What is published on one node of a Cluster is heard on each, so that any will do. A connection of its own, not
 * ioredis' Cluster: that tells nobody when it has subscribed anew at another node, and what was published meanwhile
 * would not be asked for.
 */
function subscribeAnywhere(startup: readonly Address[], options: RedisOptions): Redis {
  let known = startup;
  const client = new Redis({ ...options, Connector: createAnyNodeConnector(() => known) });
  client.on('ready', () => {
    client.cluster('SLOTS').then(
      (ranges) => {
        const serving = ranges.flatMap(([, , ...nodes]) => nodes.map(([host, port]) => ({ host, port })));
        known = [...startup, ...serving];
      },
      () => undefined,
    );
  });
  return client;
}

function askNowAndThen(subscriber: RedisClient): void {
  const timer = setInterval(() => {
    if (subscriber.status === 'ready') subscriber.ping().catch(() => undefined);
  }, ASK_SUBSCRIPTION_EVERY_MS).unref();
  subscriber.once('end', () => {
    clearInterval(timer);
  });
}

function loginOf({ username, password }: RedisTarget): Partial<RedisOptions> {
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

function sentinelOptions({
  nodes,
  master,
  database,
}: RedisTarget & { kind: 'sentinel' }): Partial<RedisOptions> {
  return {
    sentinels: [...nodes],
    // One that accepts and never answers must not keep us from asking the next.
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    name: master,
    db: database,
  };
}
