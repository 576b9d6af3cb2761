import type { RedisClient } from './connect.ts';
import { errorMessage } from '../errors.ts';

const USERS = 'see "Users and TLS" in docs/guides/redis.md';

/** Advice for errors of authentication and permission. Redis' own message names user and command. */
const ADVICE: [RegExp, string][] = [
  [
    /DB index is out of range|invalid DB index/i,
    'REDIS_URL names a database that this server does not have: write a lower number, or raise "databases" there',
  ],
  [/SELECT is not allowed in cluster mode/i, 'REDIS_URL names a database, but a Cluster has only database 0'],
  [/NOPERM.*'select'/i, `REDIS_URL names a database other than 0: its user also needs +select; ${USERS}`],
  [/WRONGPASS|NOAUTH/, `user or password in REDIS_URL is wrong; ${USERS}`],
  [
    // Redis 7.0 writes no NOPERM for a command of a script.
    /NOPERM|The user executing the script can't|can't run this command|no permissions/i,
    `its user needs the rules of ops/redis/users.acl; ${USERS}`,
  ],
  [/certificate|altnames/i, `for your own certificate authority, set NODE_EXTRA_CA_CERTS; ${USERS}`],
];

/** Advice for errors of the connection. */
const UNREACHABLE: [RegExp, string][] = [
  [
    /before secure TLS|wrong version number|packet length too long|EPROTO/i,
    'rediss:// in REDIS_URL needs a Redis with TLS',
  ],
  [/connection was closed/, 'Redis has stopped, or requires TLS: then REDIS_URL must begin with rediss://'],
  [/ECONNREFUSED/, 'start Redis, or correct host and port in REDIS_URL'],
  [/ENOTFOUND|EAI_AGAIN|EAI_FAIL/, 'no DNS entry: correct the host in REDIS_URL'],
  [/All sentinels are unreachable/i, 'start the sentinels, or correct hosts and group name in REDIS_URL'],
  [
    /refresh slots|startup nodes|CLUSTERDOWN/i,
    'no node of the Cluster answers: correct the nodes in REDIS_URL',
  ],
  [
    /timed? ?out|ETIMEDOUT/i,
    'Redis does not answer: it is frozen, overloaded or unreachable, or has no TLS although REDIS_URL begins with rediss://',
  ],
  [/MISCONF/, 'Redis cannot write to its disk: its log has the reason'],
  [/READONLY/, 'REDIS_URL must name the primary'],
];

/** Whether Redis is available, but refuses the connection or a command. */
export function isAccessError(error: unknown): boolean {
  return ADVICE.some(([fits]) => fits.test(errorMessage(error)));
}

/** The message of an error, with advice if there is any. */
export function describeAccessError(error: unknown): string {
  const words = [errorMessage(error), ...ofLastNode(error)].join(': ');
  const [, advice] = [...ADVICE, ...UNREACHABLE].find(([fits]) => fits.test(words)) ?? [];
  return advice === undefined ? words : `${words} (${advice})`;
}

/** A Cluster's error says only that no node could be used. `lastNodeError` has the reason. */
function ofLastNode(error: unknown): string[] {
  const isOfCluster =
    error instanceof Error && 'lastNodeError' in error && error.lastNodeError instanceof Error;
  return isOfCluster ? [errorMessage(error.lastNodeError)] : [];
}

/**
 * Returns the reason why there is no connection, from Redis or TLS; `undefined` while there is one. The error of a command
 * says only that there is no connection.
 */
export function watchAccessError(redis: RedisClient): () => string | undefined {
  let [refusal, ofNode]: (string | undefined)[] = [];
  onNodeAccessError(redis, (error) => {
    ofNode = describeAccessError(error);
  });
  redis.on('error', (error) => {
    refusal = ofNode ?? describeAccessError(error);
  });
  redis.on('ready', () => {
    refusal = ofNode = undefined;
  });
  return () => refusal;
}

/** Calls back if a node of a Cluster refuses access. The Cluster's own error has no reason if the connection was refused. */
export function onNodeAccessError(redis: RedisClient, onError: (error: Error) => void): void {
  redis.on('node error', (error: Error) => {
    if (isAccessError(error)) onError(error);
  });
}
