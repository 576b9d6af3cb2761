import type { Id } from '../contracts/appointment.ts';
import { coalesce } from '../coalesce.ts';
import type { RedisClient } from '../connections.ts';
import { luaScript } from '../redis-script.ts';
import { KEPT_COMPLETED_SECONDS } from './retry-policy.ts';

export interface RecentEmissionsDeps {
  redis: RedisClient;
  /** Queue prefix; one hash tag for all. */
  prefix: string;
  /** Told when ids could not be kept. They are missing from this list only: the jobs stand. */
  onForgotten: (error: unknown) => void;
}

interface Accepted {
  appointmentId: Id;
  emissionId: string;
  /** ISO 8601. */
  acceptedAt: string;
}

export interface RecentEmissions {
  /** Keeps ids for the operator. Nobody waits for it; what comes close together goes in one script. */
  remember: (emissions: readonly Accepted[]) => void;
  /** The last ten emission ids of an appointment, newest first. @throws when Redis is away */
  read: (appointmentId: Id) => Promise<string[]>;
}

const KEPT = 10;
/** Redis does nothing else meanwhile: about 0.7 ms. */
const IDS_PER_SCRIPT = 100;
const rememberScript = luaScript(new URL('./remember-recent.lua', import.meta.url));

/** Memory: about 500 bytes for each appointment that was emitted within a day. */
export function createRecentEmissions({ redis, prefix, onForgotten }: RecentEmissionsDeps): RecentEmissions {
  const keyOf = (appointmentId: Id): string => `${prefix}:recent:${appointmentId}`;

  async function keep(emissions: readonly Accepted[]): Promise<void> {
    const keys = emissions.map(({ appointmentId }) => keyOf(appointmentId));
    const ids = emissions.flatMap(({ acceptedAt, emissionId }) => [Date.parse(acceptedAt), emissionId]);
    await rememberScript(redis, keys, [KEPT_COMPLETED_SECONDS, KEPT, ...ids]);
  }

  const rememberShared = coalesce<readonly Accepted[], undefined>({
    async run(calls) {
      const emissions = calls.flat();
      try {
        for (let from = 0; from < emissions.length; from += IDS_PER_SCRIPT) {
          await keep(emissions.slice(from, from + IDS_PER_SCRIPT));
        }
      } catch (error) {
        onForgotten(error);
      }
      return [];
    },
    maxBatch: IDS_PER_SCRIPT,
  });

  return {
    remember: (emissions) => void rememberShared(emissions),
    read: (appointmentId) => redis.zrevrange(keyOf(appointmentId), 0, -1),
  };
}
