import { setTimeout as pause } from 'node:timers/promises';
import type { Id } from '@appointment-emissions/contracts';
import { chunks, coalesce } from '../batching.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { RedisClient } from '../redis/connect.ts';
import { PUBLISHED_MS } from './keys.ts';
import { PERIOD_MS, periodAt, PERIODS_KEPT, type PublishedKeys } from './published-keys.ts';
import { scriptWithPosition } from './script-with-position.ts';

export interface RememberPublishedDeps {
  redis: RedisClient;
  keys: PublishedKeys;
  /** Milliseconds since 1970, by a clock that all processes share: it names the periods. */
  now: () => number;
  reportDamage: ReportDamage;
  /** Called if appointments could not be stored. The next publication of each stores it. */
  onForgotten: (error: unknown) => void;
}

const rememberScript = scriptWithPosition('remember-published');

/** The emission itself goes first. Under load many calls share a command. */
const GATHER_MS = 50;
const MAX_CALLS = 1_000;
const APPOINTMENTS_PER_COMMAND = 200;

/**
 * Stores, in the background, the company of each published appointment, and that the company has any. The publish script
 * cannot: on a Cluster these keys are on another node than those of the company.
 */
export function createRememberPublished({
  redis,
  keys,
  now,
  reportDamage,
  onForgotten,
}: RememberPublishedDeps): {
  remember: (companyId: Id, appointmentIds: readonly Id[]) => void;
  /** Resolves when everything is stored, or failed to be. */
  settled: () => Promise<unknown>;
} {
  async function store(companies: readonly (readonly [appointmentId: Id, companyId: Id])[]): Promise<void> {
    const at = now();
    const period = periodAt(at);
    const buckets = companies.map(([appointmentId]) => keys.bucket(period, appointmentId));
    const lifetimeMs = (period + 1 + PERIODS_KEPT) * PERIOD_MS - at;
    const args = [lifetimeMs, PUBLISHED_MS, ...companies.flat()];
    const replaced = (await rememberScript(redis, [keys.companies, ...buckets], args)) as string[];
    for (const key of replaced) reportDamage('published', { key });
  }

  const storeShared = coalesce<readonly (readonly [Id, Id])[], undefined>({
    async run(calls) {
      await pause(GATHER_MS);
      try {
        const companies = [...new Map(calls.flat())];
        for (const slice of chunks(companies, APPOINTMENTS_PER_COMMAND)) await store(slice);
      } catch (error) {
        onForgotten(error);
      }
      return [];
    },
    maxBatch: MAX_CALLS,
  });

  let latest: Promise<unknown> = Promise.resolve();
  return {
    remember: (companyId, appointmentIds) => {
      latest = storeShared(appointmentIds.map((appointmentId) => [appointmentId, companyId]));
    },
    settled: () => latest,
  };
}
