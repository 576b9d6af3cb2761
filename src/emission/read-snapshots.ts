import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { LIFETIMES, logKey, orderKey, positionKey } from './keys.ts';
import { randomId } from './random.ts';
import { scriptWithPosition } from './script-with-position.ts';

const claimScript = scriptWithPosition('claim');

/** Which appointment, of which company. */
export interface Subject {
  companyId: Id;
  appointmentId: Id;
}

/** Snapshots that were read after their order tokens were claimed. They may be shown once a script confirms them. */
export interface SnapshotRead {
  /** Becomes the order token of what is confirmed. */
  readId: string;
  /** By company: the epoch in which its order tokens were claimed. */
  epochs: ReadonlyMap<Id, string>;
  /** Claimed order tokens by order key. */
  tokens: ReadonlyMap<string, string>;
  /** By appointment; what does not exist is missing. */
  snapshots: ReadonlyMap<Id, AppointmentSnapshot>;
}

export type ReadSnapshots = (subjects: readonly Subject[]) => Promise<SnapshotRead>;

export interface ReadSnapshotsDeps {
  redis: RedisClient;
  reportDamage?: ReportDamage;
  /** Reads from MongoDB's primary. `guesses`: what some of them referred to when they were published last, packed. */
  load: (ids: readonly Id[], guesses: readonly string[]) => Promise<Map<Id, AppointmentSnapshot>>;
}

/**
 * The first two of claim → read → confirm. All claims are answered before the read begins: so a snapshot that is
 * confirmed was read after the one confirmed before it, without clocks or version fields.
 */
export function createReadSnapshots({ redis, load, reportDamage }: ReadSnapshotsDeps): ReadSnapshots {
  async function claim(companyId: Id, appointmentIds: readonly Id[]) {
    const keys = appointmentIds.map((appointmentId) => orderKey(companyId, appointmentId));
    const [epoch, damaged, ...answers] = (await claimScript(
      redis,
      [positionKey(companyId), logKey(companyId), ...keys],
      [randomId(), LIFETIMES.positionMs, LIFETIMES.orderMs, randomId()],
    )) as [string, string[], ...string[]];
    for (const key of damaged) {
      reportDamage?.(key === positionKey(companyId) ? 'position' : 'order', { key });
    }
    const claimed = keys.map((key, index) => [key, answers[index * 2] ?? ''] as const);
    return { companyId, epoch, claimed, references: answers.filter((_, index) => index % 2 === 1) };
  }

  return async (subjects) => {
    const byCompany = new Map<Id, Set<Id>>();
    for (const { companyId, appointmentId } of subjects) {
      const ids = byCompany.get(companyId);
      if (ids) ids.add(appointmentId);
      else byCompany.set(companyId, new Set([appointmentId]));
    }
    const claims = await Promise.all([...byCompany].map(([companyId, ids]) => claim(companyId, [...ids])));
    const epochs = new Map(claims.map(({ companyId, epoch }) => [companyId, epoch]));
    const tokens = new Map(claims.flatMap(({ claimed }) => claimed));
    const ids = new Set(subjects.map(({ appointmentId }) => appointmentId));
    const guesses = claims.flatMap(({ references }) => references);
    return { readId: randomId(), epochs, tokens, snapshots: await load([...ids], guesses) };
  };
}
