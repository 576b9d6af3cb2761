import type {
  CaptureState,
  CompanyOverShare,
  CompanyReads,
  ProcessRole,
} from '@appointment-emissions/contracts';
import { within } from '../../process/lifecycle.ts';
import { luaScript } from '../../redis/script.ts';
import { HEARTBEAT_TTL_MS, type WriterDeps } from './keys.ts';

/** State of a process in one role, sent every 5 s. */
export interface Heartbeat {
  role: ProcessRole;
  /** Unique among the fleet's processes of this role. */
  id: string;
  sockets?: number;
  /** Time since the last progress; absent if progress is not monitored. */
  idleMs?: number;
  /** Problems of the process, for the operator. They contain no personal data. */
  warnings?: string[];
  /** Companies that exceed their share at this process. */
  overShare?: readonly CompanyOverShare[];
  /** Companies with the most delayed reads or dashboards at this process. */
  busiest?: readonly CompanyReads[];
  /** Number of shards whose jobs this worker takes. */
  shards?: number;
  /** Present while this process reads the change stream. */
  capture?: CaptureState | undefined;
  /** Companies, or their rooms, with a socket at this process. Only their number over the fleet is stored. */
  companies?: Iterable<string>;
}

/** Sends the heartbeats of this process. Of each role only the newest unsent one is kept. */
export function createHeartbeatWriter({ redis, keys, timeoutMs, now }: WriterDeps) {
  const heartbeatScript = luaScript(new URL('./heartbeat.lua', import.meta.url));
  const waiting = new Map<string, Heartbeat>();
  const sentKeys = new Set<string>();

  async function send(
    key: string,
    { companies = [], warnings = [], overShare = [], busiest = [], ...beat }: Heartbeat,
  ): Promise<void> {
    sentKeys.add(key);
    const args = [
      key,
      JSON.stringify({
        sockets: 0,
        ...beat,
        ...(warnings.length > 0 && { warnings }),
        ...(overShare.length > 0 && { overShare }),
        ...(busiest.length > 0 && { busiest }),
      }),
      HEARTBEAT_TTL_MS,
      now?.() ?? '',
      ...companies,
    ];
    const sent = heartbeatScript(redis, [keys.live, keys.beats, keys.companies(key)], args);
    await within(timeoutMs, 'heartbeat', sent);
  }

  return {
    heartbeat: (beat: Heartbeat) => {
      waiting.set(`${beat.role}:${beat.id}`, beat);
    },
    isIdle: () => waiting.size === 0,
    /** Heartbeats that fail are dropped: the next one is due within 5 s. */
    sendWaiting: async (): Promise<void> => {
      const beats = [...waiting];
      waiting.clear();
      await Promise.all(beats.map(([key, beat]) => send(key, beat)));
    },
    /** Removes this process from the fleet at once, when it stops. */
    leave: async (): Promise<void> => {
      if (sentKeys.size === 0) return;
      const pipeline = redis.pipeline();
      for (const key of sentKeys)
        pipeline.zrem(keys.live, key).hdel(keys.beats, key).del(keys.companies(key));
      await within(timeoutMs, 'leaving the fleet', pipeline.exec());
    },
  };
}
