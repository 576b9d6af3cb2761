import { processKey, type Heartbeat } from './fleet.ts';
import { HEARTBEAT_TTL_MS } from './keys.ts';
import { luaScript } from '../redis/script.ts';
import { within } from '../process/lifecycle.ts';
import type { WriterDeps } from './writer-deps.ts';

/** Sends this process' heartbeats: one a role, the newest replacing any that was not sent yet. */
export function createFleetWriter({ redis, keys, timeoutMs, now }: WriterDeps) {
  const heartbeatScript = luaScript(new URL('./heartbeat.lua', import.meta.url));
  const waiting = new Map<string, Heartbeat>();
  const said = new Set<string>();

  async function send(
    key: string,
    { role, id, sockets = 0, idleMs, companies = [], warnings = [] }: Heartbeat,
  ): Promise<void> {
    said.add(key);
    const args = [
      key,
      JSON.stringify({ role, id, sockets, idleMs, ...(warnings.length > 0 && { warnings }) }),
      HEARTBEAT_TTL_MS,
      now?.() ?? '',
      ...companies,
    ];
    const sent = heartbeatScript(redis, [keys.live, keys.beats, keys.companies(key)], args);
    await within(timeoutMs, 'heartbeat', sent);
  }

  return {
    heartbeat: (beat: Heartbeat) => {
      waiting.set(processKey(beat), beat);
    },
    isIdle: () => waiting.size === 0,
    /** Those that fail are dropped: the next heartbeat is due in seconds and says more. */
    sendWaiting: async (): Promise<void> => {
      const beats = [...waiting];
      waiting.clear();
      await Promise.all(beats.map(([key, beat]) => send(key, beat)));
    },
    /** A process that stops in order leaves the list at once. */
    leave: async (): Promise<void> => {
      if (said.size === 0) return;
      const pipeline = redis.pipeline();
      for (const key of said) pipeline.zrem(keys.live, key).hdel(keys.beats, key).del(keys.companies(key));
      await within(timeoutMs, 'leaving the fleet', pipeline.exec());
    },
  };
}
