import type { AppointmentSnapshot, Id, StreamPosition } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import { chunks } from '../batching.ts';
import { type CompanyKeys, LIFETIMES } from './keys.ts';
import { randomId } from './random.ts';
import type { ReadSnapshots } from './read-snapshots.ts';
import { scriptWithPosition } from './script-with-position.ts';

const confirmScript = scriptWithPosition('confirm');

/** A confirmed snapshot, with its place in the order of all snapshots of that appointment. */
export interface ConfirmedSnapshot extends StreamPosition {
  appointment: AppointmentSnapshot;
  read: number;
}

/**
 * Snapshots of one company's appointments for a list or a replay, by appointment; what does not exist, or is not the
 * company's, is missing. Source: the primary. @throws what MongoDB or Redis throw.
 */
export type TakeSnapshots = (
  companyId: Id,
  appointmentIds: readonly Id[],
) => Promise<Map<Id, ConfirmedSnapshot>>;

export interface TakeSnapshotsDeps {
  redis: RedisClient;
  keys: CompanyKeys;
  readSnapshots: ReadSnapshots;
  pause: (ms: number) => Promise<void>;
}

const CHUNK = 200;
const ROUNDS_BEFORE_PAUSE = 5;

export function createTakeSnapshots({ redis, keys, readSnapshots, pause }: TakeSnapshotsDeps): TakeSnapshots {
  /** One round of claim → read → confirm; returns the ids that somebody else was quicker with. */
  async function round(companyId: Id, ids: readonly Id[], taken: Map<Id, ConfirmedSnapshot>): Promise<Id[]> {
    const { readId, claims, snapshots } = await readSnapshots(
      ids.map((appointmentId) => ({ companyId, appointmentId })),
    );
    const own = ids.filter((id) => snapshots.get(id)?.companyId === companyId);
    if (own.length === 0) return [];
    const claim = claims.get(companyId);
    const [epoch, offset, read, ...passed] = (await confirmScript(
      redis,
      [keys.position(companyId), keys.log(companyId), ...own.map((id) => keys.order(companyId, id))],
      [
        ...[readId, randomId(), LIFETIMES.positionMs, LIFETIMES.orderMs],
        ...own.map((id) => claim?.tokens.get(id) ?? ''),
        claim?.epoch ?? '',
      ],
    )) as [string, number, number, ...number[]];
    return own.filter((id, index) => {
      const appointment = snapshots.get(id);
      if (passed[index] === 1 && appointment) taken.set(id, { appointment, epoch, offset, read });
      return passed[index] !== 1;
    });
  }

  return async (companyId, appointmentIds) => {
    const taken = new Map<Id, ConfirmedSnapshot>();
    const ids = [...new Set(appointmentIds)];
    for (const slice of chunks(ids, CHUNK)) {
      let left = slice;
      for (let rounds = 1; left.length > 0; rounds += 1) {
        left = await round(companyId, left, taken);
        if (rounds % ROUNDS_BEFORE_PAUSE === 0) await pause(50 + Math.random() * 200);
      }
    }
    return taken;
  };
}
