import type { Id } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import type { ConfirmedSnapshot, TakeSnapshots } from '../domain/company-log.ts';
import { chunks } from '../batching.ts';
import { type CompanyKeys, LIFETIMES } from './keys.ts';
import { randomId } from './random.ts';
import type { ReadSnapshots } from './read-snapshots.ts';
import { scriptWithPosition } from './script-with-position.ts';

const confirmScript = scriptWithPosition('confirm');

export interface TakeSnapshotsDeps {
  redis: RedisClient;
  keys: CompanyKeys;
  readSnapshots: ReadSnapshots;
  pause: (ms: number) => Promise<void>;
  /** Called for each snapshot whose order token had changed, so that it is read again. */
  onLost?: () => void;
}

/** The reply of MongoDB for more would block the event loop for longer than the other companies' work should wait. */
const MAX_PER_ROUND = 100;
const ROUNDS_BEFORE_PAUSE = 5;
const PAUSE_MS = { min: 50, max: 250 };

export function createTakeSnapshots({
  redis,
  keys,
  readSnapshots,
  pause,
  onLost,
}: TakeSnapshotsDeps): TakeSnapshots {
  /** One round of claim → read → confirm. Returns the ids whose order token has changed since the claim. */
  async function round(companyId: Id, ids: readonly Id[], taken: Map<Id, ConfirmedSnapshot>): Promise<Id[]> {
    const { readId, claims, snapshots } = await readSnapshots(
      ids.map((appointmentId) => ({ companyId, appointmentId })),
    );
    const own = ids.filter((id) => (snapshots.get(id)?.companyId ?? companyId) === companyId);
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
      const appointment = snapshots.get(id) ?? null;
      if (passed[index] === 1) taken.set(id, { appointment, epoch, offset, read });
      else onLost?.();
      return passed[index] !== 1;
    });
  }

  return async (companyId, appointmentIds) => {
    const taken = new Map<Id, ConfirmedSnapshot>();
    const ids = [...new Set(appointmentIds)];
    for (const slice of chunks(ids, MAX_PER_ROUND)) {
      let left = slice;
      for (let rounds = 1; left.length > 0; rounds += 1) {
        left = await round(companyId, left, taken);
        if (rounds % ROUNDS_BEFORE_PAUSE === 0)
          await pause(PAUSE_MS.min + Math.random() * (PAUSE_MS.max - PAUSE_MS.min));
      }
    }
    return taken;
  };
}
