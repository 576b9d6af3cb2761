import { Cluster } from 'ioredis';
import type { RedisClient } from './connect.ts';
import { errorMessage } from '../errors.ts';
import type { Lifecycle } from '../process/lifecycle.ts';
import type { Logger } from '../process/logger.ts';
import { createOutageLog, type OutageLog } from '../process/outage-log.ts';
import { describeAccessError, onNodeAccessError } from './access-errors.ts';
import { createThrottledLog } from '../process/throttled-log.ts';

/** Advice for errors of MongoDB's driver. */
const MONGO_ADVICE: [RegExp, string][] = [
  [/Authentication failed|bad auth|AuthenticationFailed/i, 'correct user and password in MONGODB_URI'],
  [/not authorized/i, 'its user needs the role "read"; see "MongoDB user" in docs/guides/production.md'],
  [/certificate|altnames/i, 'an authority of your own goes into NODE_EXTRA_CA_CERTS'],
  [/ECONNREFUSED/, 'start MongoDB, or correct host and port in MONGODB_URI'],
  [/ENOTFOUND|EAI_AGAIN|querySrv/, 'no DNS entry: correct the host in MONGODB_URI'],
  [/replica set/i, 'see "MongoDB" in docs/guides/production.md'],
  [/timed? ?out/i, 'MongoDB does not answer: it is frozen, overloaded or cut off'],
];

/** Logs the outages of Redis and MongoDB, each once for all connections of this process. */
export function watchConnections(logger: Logger, lifecycle: Pick<Lifecycle, 'onClose'>) {
  const redis = createOutageLog({
    logger,
    lost: 'redis unavailable',
    restored: 'redis available again',
  });
  const mongo = watchMongo(logger);
  const nodeRefused = createThrottledLog(logger, 'redis node refuses access');
  let closing = false;

  return {
    /** Watches one connection. @param part  its purpose, such as `requests` */
    redis(part: string, client: RedisClient): void {
      watchRedis(part, client, redis, () => closing);
      onNodeAccessError(client, (error) => {
        nodeRefused({ connection: part }, explained(error));
      });
    },
    mongo,
    /** For errors of BullMQ. It repeats the errors of its connection, which are logged already. */
    queue(event: string): (error: unknown) => void {
      const log = createThrottledLog(logger, event);
      return (error) => {
        if (redis.isDown || closing) logger.debug({ error: errorMessage(error) }, event);
        else log({}, explained(error));
      };
    },
    /** Call after all connections were created: connections that the process closes itself are not an outage. */
    ready(): void {
      lifecycle.onClose('connection log', () => {
        closing = true;
      });
    },
  };
}

/** Also used by processes without Redis. */
export function watchMongo(logger: Logger) {
  const log = createOutageLog({
    logger,
    lost: 'mongodb unavailable',
    restored: 'mongodb available again',
  });
  return {
    onError: (error: unknown): void => {
      log.failed('reads', explainedMongo(error));
    },
    onUsable: (): void => {
      log.works('reads');
    },
    isDown: (): boolean => log.isDown,
  };
}

function watchRedis(part: string, client: RedisClient, log: OutageLog, isClosing: () => boolean): void {
  const server = serversOf(client);
  let last: Error | undefined;
  const failed = (error: Error): void => {
    if (!isClosing()) log.failed(part, explained(error, server));
  };
  client.on('error', (error: Error) => {
    last = error;
    if (client.status !== 'ready') failed(error);
  });
  client.on('reconnecting', () => {
    failed(last ?? Object.assign(new Error('the connection was closed'), { code: 'CLOSED' }));
  });
  client.on('ready', () => {
    last = undefined;
    log.works(part);
  });
}

/** Hosts and ports, never user or password. */
function serversOf(client: RedisClient): string {
  if (client instanceof Cluster) return 'the Cluster';
  const { sentinels, name, host, port } = client.options;
  if (sentinels) return `${name ?? ''} of ${sentinels.map((one) => `${one.host}:${one.port}`).join(', ')}`;
  return `${host}:${port}`;
}

function explained(error: unknown, server?: string): Error {
  const words = describeAccessError(error);
  const named = server === undefined || words.includes(server) ? words : `${server}: ${words}`;
  return new Error(named, { cause: error });
}

/** These errors are about connections, so they contain no document. */
function explainedMongo(error: unknown): Error {
  const words = errorMessage(error);
  const [, advice] = MONGO_ADVICE.find(([fits]) => fits.test(words)) ?? [];
  return new Error(advice === undefined ? words : `${words} (${advice})`, { cause: error });
}
