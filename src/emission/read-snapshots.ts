import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import { readAvailable } from '../batching.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { type CompanyKeys, LIFETIMES } from './keys.ts';
import { randomId } from './random.ts';
import { scriptWithPosition } from './script-with-position.ts';

const claimScript = scriptWithPosition('claim');

/** An appointment to read, and the company whose order token is claimed for it. */
export interface SnapshotRequest {
  companyId: Id;
  appointmentId: Id;
  /** Of the emission that the read is for. */
  traceparent?: string | undefined;
}

/** The order tokens of a company's appointments, claimed before the read. */
export interface Claim {
  /** The epoch in which the tokens were claimed. They are invalid in any other epoch. */
  epoch: string;
  /** By appointment. */
  tokens: ReadonlyMap<Id, string>;
}

/** Snapshots that were read after their order tokens were claimed. They may be shown only if a script confirms them. */
export interface SnapshotRead {
  /** Becomes the order token of each appointment whose snapshot is confirmed. */
  readId: string;
  /** By company. */
  claims: ReadonlyMap<Id, Claim>;
  /** Companies that could not be claimed, with the error: on a Cluster their master is away. Their appointments were not read. */
  failed: ReadonlyMap<Id, unknown>;
  /** By appointment. An appointment that does not exist is absent. */
  snapshots: ReadonlyMap<Id, AppointmentSnapshot>;
  /** Of the read itself, if several emissions share it. */
  traceparent?: string | undefined;
}

/** @throws the errors of MongoDB, and of Redis if no company could be claimed */
export type ReadSnapshots = (requests: readonly SnapshotRequest[]) => Promise<SnapshotRead>;

export interface ReadSnapshotsDeps {
  redis: RedisClient;
  keys: CompanyKeys;
  reportDamage?: ReportDamage;
  /** Awaited after the reply to each claim, before anything else is done for the read. */
  afterClaim?: (() => Promise<unknown>) | undefined;
  /** Reads from MongoDB's primary. `guesses`: the packed references of their last published snapshots. */
  load: (ids: readonly Id[], guesses: readonly string[]) => Promise<Map<Id, AppointmentSnapshot>>;
}

/**
 * The first two steps of claim → read → confirm. All claims are answered before the read begins. So a confirmed snapshot
 * was read after the one confirmed before it, without clocks or version fields.
 */
export function createReadSnapshots({
  redis,
  keys,
  load,
  afterClaim,
  reportDamage,
}: ReadSnapshotsDeps): ReadSnapshots {
  async function claim(companyId: Id, appointmentIds: readonly Id[]) {
    const orderKeys = appointmentIds.map((appointmentId) => keys.order(companyId, appointmentId));
    const [epoch, damaged, ...answers] = (await claimScript(
      redis,
      [keys.position(companyId), keys.log(companyId), ...orderKeys],
      [randomId(), LIFETIMES.positionMs, LIFETIMES.orderMs, randomId()],
    )) as [string, string[], ...string[]];
    await afterClaim?.();
    for (const key of damaged) {
      reportDamage?.(key === keys.position(companyId) ? 'position' : 'order', { key });
    }
    const tokens = new Map(appointmentIds.map((id, index) => [id, answers[index * 2] ?? '']));
    const references = answers.filter((_, index) => index % 2 === 1);
    return { companyId, epoch, tokens, references };
  }

  return async (requests) => {
    const byCompany = new Map<Id, Set<Id>>();
    for (const { companyId, appointmentId } of requests) {
      const ids = byCompany.get(companyId);
      if (ids) ids.add(appointmentId);
      else byCompany.set(companyId, new Set([appointmentId]));
    }
    const failed = new Map<Id, unknown>();
    const claimed = await readAvailable([...byCompany], ([companyId, ids]) =>
      claim(companyId, [...ids]).catch((error: unknown) => {
        failed.set(companyId, error);
        throw error;
      }),
    );
    const found = claimed.filter((one) => one !== undefined);
    const claims = new Map(found.map(({ companyId, epoch, tokens }) => [companyId, { epoch, tokens }]));
    const ids = new Set(found.flatMap(({ tokens }) => [...tokens.keys()]));
    const guesses = found.flatMap(({ references }) => references);
    return { readId: randomId(), claims, failed, snapshots: await load([...ids], guesses) };
  };
}
