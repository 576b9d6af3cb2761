import type { Redis } from 'ioredis';
import type { RedisClient } from '../../src/redis/connect.ts';

/** What a server answers to the sections of INFO that name its history. */
export interface HistoryInfo {
  replication: string;
  server: string;
}

/** Replies of servers that leave fields out, as some hosted or compatible ones do. */
export const INCOMPLETE_INFO: readonly [without: string, HistoryInfo][] = [
  ['a replication id', { replication: 'role:master', server: 'run_id:a1' }],
  ['a value of the replication id', { replication: 'role:master\\r\\nmaster_replid:', server: 'run_id:a1' }],
  ['a run id', { replication: 'role:master\\r\\nmaster_replid:b2', server: 'redis_version:7.0.0' }],
  ['either id', { replication: 'role:master', server: 'redis_version:7.0.0' }],
  ['any field', { replication: '', server: '' }],
];

/** A Redis that gives these replies to the INFO calls of scripts. Other commands reach `redis`. */
export function withInfo(redis: Redis, info: HistoryInfo): RedisClient {
  const answered = (source: string): string =>
    source.replace(
      /redis\.call\('INFO', '(replication|server)'\)/g,
      (_, section: keyof HistoryInfo) => `'${info[section]}'`,
    );
  return {
    evalsha: () => Promise.reject(new Error('NOSCRIPT the source is sent instead')),
    eval: (source: string, count: number, ...rest: (string | number | Buffer)[]) =>
      redis.eval(answered(source), count, ...rest),
    hgetall: (key: string) => redis.hgetall(key),
  } as unknown as RedisClient;
}
