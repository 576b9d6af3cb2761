import { Cluster } from 'ioredis';
import type { RedisClient } from './connect.ts';
import { errorMessage } from '../errors.ts';
import type { Lifecycle } from '../process/lifecycle.ts';
import type { Logger } from '../process/logger.ts';
import { createOutageLog, type OutageLog } from '../process/outage-log.ts';
import { describeAccessError, onNodeAccessError } from './access-errors.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import { watchMongo } from './watch-mongo.ts';

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
