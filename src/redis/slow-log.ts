import { Cluster, type Redis } from 'ioredis';
import { type RedisClient, whenReady } from './connect.ts';
import { within } from '../process/lifecycle.ts';
import type { Logger } from '../process/logger.ts';
import { luaScript } from './script.ts';

/** Words for the operator, where published appointments are kept in Redis' slow log; none while it can't be asked. */
export type WarnOfSlowLog = () => Promise<string[]>;

const ASK_WITHIN_MS = 800;
/** `slowlog-log-slower-than`, and Valkey's `commandlog-execution-slower-than`, `-request-` and `-reply-larger-than`. */
const FROM_WHEN_KEPT = '*log-*-than';
const NEVER = '-1';
const rightsScript = luaScript(new URL('./slow-log.lua', import.meta.url));

/**
 * Redis' slow log keeps 128 bytes of each argument of our scripts, and so the beginning of what is published. It must be
 * off on every node, or closed to our user.
 */
export function createWarnOfSlowLog(redis: RedisClient): WarnOfSlowLog {
  async function look(node: Redis): Promise<string | undefined> {
    const [mayRead, maySeeSettings] = (await rightsScript(node, [], [])) as [number, number];
    if (mayRead === 0) return undefined;
    const settings = maySeeSettings === 0 ? [] : await settingsOf(node);
    if (settings.length === 0) {
      return "whether Redis' slow log is off can't be seen, and our user may read it: deny it SLOWLOG";
    }
    const on = settings.filter(([, value]) => value !== NEVER).map(([name]) => name);
    if (on.length === 0) return undefined;
    return `Redis keeps the beginning of what is published in its slow log: set ${on.join(' and ')} to ${NEVER}`;
  }

  return async () => {
    const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
    const asked = nodes.map((node) =>
      within(ASK_WITHIN_MS, 'the slow log', look(node)).catch(() => undefined),
    );
    return [...new Set((await Promise.all(asked)).filter((words) => words !== undefined))];
  };
}

async function settingsOf(node: Redis): Promise<[name: string, value: string][]> {
  const said = (await node.config('GET', FROM_WHEN_KEPT).catch(() => [])) as string[];
  return said.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, said[at + 1] ?? '']] : []));
}

/** Logs it once, when Redis is there. Never rejects. */
export async function logSlowLog(redis: RedisClient, warn: WarnOfSlowLog, logger: Logger): Promise<void> {
  await whenReady(redis);
  for (const warning of await warn()) logger.warn({ warning }, 'personal data is kept in Redis');
}
