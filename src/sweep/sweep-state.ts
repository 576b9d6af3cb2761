import { OBJECT_ID } from '@appointment-emissions/contracts';
import type { PublishedCursor } from '../domain/published-appointments.ts';
import type { Cursor } from '../domain/updated-rows.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { RedisClient } from '../redis/connect.ts';
import { createAcquireLease, type Lease } from '../redis/lease.ts';

/** Position of the sweep in the order of `(updatedAt, _id)`, in ms since 1970. */
export interface Watermark extends Cursor {
  /** False if rows were left for the next sweep. That one continues from here, without an overlap. */
  caughtUp: boolean;
}

/** Position of the search for published appointments that are gone. */
export interface GoneSearch {
  cursor: PublishedCursor;
  /** Since when deletions are held back, in ms since 1970; null if they are not. */
  heldSince: number | null;
}

/** The exclusive right to sweep. */
export interface SweepLease {
  /** When it was acquired, by Redis' clock, in ms since 1970. */
  now: number;
  loadWatermark: () => Promise<Watermark | undefined>;
  /**
   * Resolves to false, and saves nothing, if the lease was lost: to another worker, or because Redis lost its data. In that
   * case enqueued jobs may be lost too, and their rows must be searched again.
   */
  saveWatermark: (watermark: Watermark) => Promise<boolean>;
  /** The beginning of a walk if nothing is saved. */
  loadSearch: () => Promise<GoneSearch>;
  /** Like `saveWatermark`. */
  saveSearch: (search: GoneSearch) => Promise<boolean>;
}

/** Resolves to `undefined` if another process has the lease. @throws what Redis throws */
export type AcquireSweepLease = () => Promise<SweepLease | undefined>;

/** Keeps lock and watermark in Redis. Losing them is harmless: two sweeps at once, or one that starts earlier, emit nothing twice. */
export function createAcquireSweepLease(deps: {
  redis: RedisClient;
  prefix: string;
  ownerId: string;
  lockMs: number;
  reportDamage: ReportDamage;
}): AcquireSweepLease {
  const { redis, prefix, ownerId, lockMs, reportDamage } = deps;
  const watermark = `${prefix}:sweep:watermark`;
  const search = `${prefix}:sweep:gone`;
  const acquire = createAcquireLease({ redis, lock: `${prefix}:sweep:lock`, ownerId, lockMs });

  /** Undefined if there is no such hash, or if it cannot be parsed. */
  async function load<T>(
    lease: Lease,
    key: string,
    parse: (kept: Record<string, string>) => T | undefined,
  ): Promise<T | undefined> {
    const kept = await lease.load(key);
    if (kept && Object.keys(kept).length === 0) return undefined;
    const parsed = kept && parse(kept);
    if (!parsed) reportDamage('watermark', { key });
    return parsed;
  }

  return async () => {
    const lease = await acquire();
    if (!lease) return undefined;
    const { now, save } = lease;
    return {
      now,
      loadWatermark: () => load(lease, watermark, (kept) => parseWatermark(kept, now)),
      saveWatermark: ({ updatedAt, appointmentId, caughtUp }) =>
        save(watermark, { updatedAt, appointmentId, caughtUp: caughtUp ? 1 : 0 }),
      loadSearch: async () => (await load(lease, search, (kept) => parseSearch(kept, now))) ?? FIRST_SEARCH,
      saveSearch: ({ cursor: { companyId, publishedAt }, heldSince }) =>
        save(search, { companyId, publishedAt: publishedAt ?? '', heldSince: heldSince ?? '' }),
    };
  };
}

const FIRST_SEARCH: GoneSearch = { cursor: { companyId: '', publishedAt: null }, heldSince: null };

/** `undefined` if it is damaged: the walk then begins again, and deletions that were held back are held back anew. */
function parseSearch(kept: Record<string, string>, now: number): GoneSearch | undefined {
  const { companyId = '' } = kept;
  const [publishedAt, heldSince] = [parseTime(kept['publishedAt']), parseTime(kept['heldSince'])];
  if (publishedAt === undefined || heldSince === undefined || (heldSince ?? 0) > now) return undefined;
  const isCursor = companyId === '' ? publishedAt === null : OBJECT_ID.test(companyId);
  return isCursor ? { cursor: { companyId, publishedAt }, heldSince } : undefined;
}

/** Null for no time; undefined if it is damaged. */
function parseTime(text: string | undefined): number | null | undefined {
  if (text === '') return null;
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}

/** The overlap of sweeps. A watermark further ahead of the clock would hide the writes until that time. */
const MAX_AHEAD_MS = 5 * 60_000;

/** `undefined` if it is damaged: the sweep then starts one day back and skips no row. */
function parseWatermark(kept: Record<string, string>, now: number): Watermark | undefined {
  const { updatedAt = '', appointmentId = '', caughtUp } = kept;
  const isWhole = /^-?\d{1,15}$/.test(updatedAt) && (caughtUp === '0' || caughtUp === '1');
  if (!isWhole || Number(updatedAt) > now + MAX_AHEAD_MS) return undefined;
  return {
    updatedAt: Number(updatedAt),
    // With '' the sweep begins at the first row of that millisecond.
    appointmentId: OBJECT_ID.test(appointmentId) ? appointmentId : '',
    caughtUp: caughtUp === '1',
  };
}
