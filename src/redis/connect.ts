import { Cluster, Redis, type RedisOptions as AnyRedisOptions } from 'ioredis';
import { describeAccessError } from './access-errors.ts';
import { isMissingDatabase } from './redis-errors.ts';
import { readRedisUrl, type RedisTarget } from '../settings/redis-url.ts';
import { settleConnects } from './settle-connects.ts';
import { subscribeAnywhere } from './subscribe-anywhere.ts';
import { isUnavailable } from '../process/unavailable.ts';

/** RESP3 replies in RESP2 shape: BullMQ and the Socket.IO adapter expect it. */
export type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'> & { replyMapping: 'legacy' };

export type RedisClient = Redis | Cluster;

/**
 * How a connection behaves while Redis is unavailable.
 * - `request`: commands that a request waits for. They fail at once if disconnected, and after a second if Redis is frozen.
 * - `queue`: BullMQ's worker. It waits for Redis without limit.
 * - `direct`: ends direct jobs. It waits too, but no command blocks, so that silence is noticed before their locks expire.
 * - `subscriber`: Pub/Sub of a gateway. It waits, and subscribes again.
 * - `operator`: a command of an operator. Its work has many steps, so a pause of Redis must not end it.
 */
export type ConnectionRole = 'request' | 'queue' | 'direct' | 'subscriber' | 'operator';

const COMMAND_TIMEOUT_MS = 900;
const OPERATOR_TIMEOUT_MS = 10_000;
/**
 * A connection without data for this long, while a command waits for its reply, is replaced by a new one. After a network
 * failover it is not closed, and TCP would take 15 minutes to detect that. BullMQ's blocking reads take up to 10 s.
 * Subscriptions are pinged, since long periods without messages are normal.
 */
const MAX_SILENCE_MS = { request: 2_000, queue: 12_000, direct: 2_000, subscriber: 2_000 };
const PING_INTERVAL_MS = 10_000;

const BASE: RedisOptions = {
  replyMapping: 'legacy',
  // CLIENT SETINFO exists from Redis 7.2 on. Redis 7.0 and older do not load an ACL file that names it.
  disableClientInfo: true,
  connectTimeout: 2_000,
  keepAlive: 10_000,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  // A primary that became a replica can keep its connections. Only a new connection leads to the new primary.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
};

const FAILS_AT_ONCE: Partial<RedisOptions> = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
};

const BY_ROLE: Record<ConnectionRole, Partial<RedisOptions>> = {
  request: {
    ...FAILS_AT_ONCE,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: MAX_SILENCE_MS.request,
  },
  queue: { maxRetriesPerRequest: null, socketTimeout: MAX_SILENCE_MS.queue },
  direct: { maxRetriesPerRequest: null, socketTimeout: MAX_SILENCE_MS.direct },
  subscriber: {
    maxRetriesPerRequest: null,
    autoResubscribe: true,
    socketTimeout: MAX_SILENCE_MS.subscriber,
  },
  operator: { ...FAILS_AT_ONCE, commandTimeout: OPERATOR_TIMEOUT_MS },
};

/** A Cluster repeats a command without a node every 100 ms. This many attempts stay within the time of a request. */
const REDIRECTIONS = { request: 8, queue: 16, direct: 16, operator: 16 };

/**
 * Connects to REDIS_URL: `redis://…` is a server, `redis://a,redis://b` a Cluster with some of its nodes,
 * `redis+sentinel://user:pass@s1:26379,s2:26379/name/0` the primary of that name at the sentinels.
 * Never throws if a server is unavailable, and keeps trying. `watchConnections` logs outages.
 */
export function connectRedis(
  url: string,
  role: ConnectionRole,
  onError: (error: Error) => void = () => undefined,
): RedisClient {
  const client = create(url, role);
  client.on('error', onError);
  client.on('error', (error) => {
    // Otherwise ioredis would continue in database 0.
    if (client instanceof Redis && isMissingDatabase(error)) client.disconnect(true);
  });
  if (role === 'subscriber') pingRegularly(client);
  return client;
}

/** Resolves, with a message for the operator, if the server refuses the database of REDIS_URL. */
export function whenDatabaseMissing(client: RedisClient): Promise<string> {
  return new Promise((resolve) => {
    client.on('error', (error) => {
      if (isMissingDatabase(error)) resolve(describeAccessError(error));
    });
  });
}

/** Whether PUBLISH counts the subscribers of one node only. */
export function isCluster(client: RedisClient): boolean {
  return client instanceof Cluster;
}

/** The server, or all known nodes of a Cluster. */
export function nodesOf(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes() : [client];
}

/** Keys that one SCAN looks at. It takes Redis less than a millisecond. */
const KEYS_PER_SCAN = 1_000;
/** Of a Cluster. */
const SLOTS = 16_384;

/**
 * Names of the keys that match a pattern, in slices; on a Cluster those of all masters. A key that exists during the whole scan is
 * found, maybe twice. The user needs the right to SCAN, which finds the names of all keys.
 * @param onMissed  called if a master of a Cluster was unavailable, so that its keys are not found
 */
export async function* scanKeys(
  client: RedisClient,
  pattern: string,
  onMissed: () => void,
): AsyncGenerator<readonly string[]> {
  if (!(client instanceof Cluster)) {
    yield* scanServer(client, pattern);
    return;
  }
  const masters = client.nodes('master');
  for (const master of masters) {
    try {
      yield* scanServer(master, pattern);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      onMissed();
    }
  }
  // The client forgets a master to which it has no connection. After a failover, another server has its slots.
  const scanned = new Set(masters.map(({ options }) => `${options.host}:${options.port}`));
  const owners = Array.from({ length: SLOTS }, (_, slot) => client.slots[slot]?.[0] ?? '');
  if (!owners.every((owner) => scanned.has(owner))) onMissed();
}

async function* scanServer(server: Redis, pattern: string): AsyncGenerator<readonly string[]> {
  let cursor = '0';
  do {
    const [next, keys] = await server.scan(cursor, 'MATCH', pattern, 'COUNT', KEYS_PER_SCAN);
    cursor = next;
    if (keys.length > 0) yield keys;
  } while (cursor !== '0');
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
    // Certificates contain host names. By default ioredis resolves them first, and compares an address.
    ...(redisOptions.tls && {
      dnsLookup: (host, found) => {
        found(null, host);
      },
    }),
  });
  // Otherwise the first commands to a node would fail while it connects.
  cluster.on('+node', (node: Redis) => void node.connect().catch(() => undefined));
  return settleConnects(cluster);
}

function pingRegularly(subscriber: RedisClient): void {
  const timer = setInterval(() => {
    if (subscriber.status === 'ready') subscriber.ping().catch(() => undefined);
  }, PING_INTERVAL_MS).unref();
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
    // A sentinel that accepts connections but never replies must not block the next one.
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    name: master,
    db: database,
  };
}

/**
 * Sends all commands of this event loop turn to a single Redis in one write. ioredis' pipeline does the same, but costs more
 * than single commands, and its garbage survives young collections. On a Cluster each command is written separately.
 */
export function corkUntilImmediate(redis: RedisClient): void {
  if (redis instanceof Cluster) return;
  const { stream } = redis as { stream?: Redis['stream'] };
  if (!stream) return;
  stream.cork();
  setImmediate(() => {
    stream.uncork();
  });
}
