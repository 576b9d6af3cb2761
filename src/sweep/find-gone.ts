import { APPOINTMENT_DELETED, type Id } from '@appointment-emissions/contracts';
import type { PublishedAppointment, ReadPublishedPage } from '../domain/published-appointments.ts';
import type { MissedEmission } from '../domain/updated-rows.ts';
import type { SweepLease } from './sweep-state.ts';

export interface FindGoneDeps {
  readPublishedPage: ReadPublishedPage;
  /** The appointments that MongoDB's primary does not have. @throws if it cannot be read */
  findMissing: (appointmentIds: readonly Id[]) => Promise<ReadonlySet<Id>>;
  /** Whether MongoDB has any appointment. */
  hasAppointments: () => Promise<boolean>;
  /** Removes appointments from the index that were published for another company; resolves to the others. */
  dropForeign: (appointments: readonly PublishedAppointment[]) => Promise<PublishedAppointment[]>;
  enqueue: (emissions: readonly MissedEmission[]) => Promise<void>;
  /** Called at each step that holds deletions back. */
  onHeld: (held: HeldDeletions) => void;
}

/** Appointments of one page whose deletions are held back. */
export interface HeldDeletions {
  gone: number;
  checked: number;
}

export interface FindGone {
  /**
   * Checks one page, and emits the deletions of its appointments that are gone. Resolves to their number.
   * @throws the errors of MongoDB and Redis: then nothing is emitted, and the page is checked again
   */
  step: (lease: SweepLease) => Promise<number>;
  /** Skips appointments that this sweep has emitted: until their jobs have run, deleted ones are still in the index. */
  except: (appointmentIds: Iterable<Id>, now: number) => void;
  /** The deletions that this process holds back now. */
  held: () => HeldDeletions | undefined;
  /** Call when another process has the lease. */
  forget: () => void;
}

const PAGE = 500;
/** The index keeps appointments for 30 days after their last publication. */
const REACH_MS = 30 * 24 * 3_600_000;
/** Up to this many deletions of one page are emitted at once, whatever its size. */
const MAX_UNQUESTIONED = 20;
const HOLD_MS = 3_600_000;
/** Until then a job may wait or be retried. Adding it again has no effect, but would count as another deletion. */
const REPEAT_AFTER_MS = 600_000;
const MAX_KNOWN = 10_000;

/**
 * Walks over the published appointments, one page per sweep, and emits a deletion for each that MongoDB does not have: it was
 * removed without a call. The worker reads again, so the deletion of an appointment that exists after all is published as an
 * update. If most of a page is gone, its deletions are held back, see {@link isDoubtful}.
 */
export function createFindGone(deps: FindGoneDeps): FindGone {
  const { readPublishedPage, findMissing, hasAppointments, dropForeign, enqueue, onHeld } = deps;
  let held: HeldDeletions | undefined;
  /** When emissions were enqueued, by their id, or by their appointment if another part of the sweep found them. */
  const known = new Map<string, number>();

  async function findMissingOf(checked: readonly PublishedAppointment[]): Promise<PublishedAppointment[]> {
    if (checked.length === 0) return [];
    const missing = await findMissing(checked.map(({ appointmentId }) => appointmentId));
    return checked.filter(({ appointmentId }) => missing.has(appointmentId));
  }

  async function emit(gone: readonly PublishedAppointment[], now: number): Promise<number> {
    for (const [emissionId, at] of known) if (now - at >= REPEAT_AFTER_MS) known.delete(emissionId);
    const emissions = (await dropForeign(gone)).map((one) => toEmission(one, now));
    const unknown = emissions.filter(
      ({ emissionId, appointmentId }) => !known.has(emissionId) && !known.has(appointmentId),
    );
    if (unknown.length > 0) await enqueue(unknown);
    for (const { emissionId } of unknown) if (known.size < MAX_KNOWN) known.set(emissionId, now);
    return unknown.length;
  }

  return {
    async step(lease) {
      const { now } = lease;
      const { cursor, heldSince } = await lease.loadSearch();
      const page = await readPublishedPage(cursor, { since: now - REACH_MS, limit: PAGE });
      const checked = page.appointments;
      const gone = await findMissingOf(checked);
      const doubtfulSince = isDoubtful(gone.length, checked.length) ? (heldSince ?? now) : null;
      if (doubtfulSince !== null && (now - doubtfulSince < HOLD_MS || !(await hasAppointments()))) {
        held = { gone: gone.length, checked: checked.length };
        onHeld(held);
        await lease.saveSearch({ cursor, heldSince: doubtfulSince });
        return 0;
      }
      held = undefined;
      const emitted = gone.length > 0 ? await emit(gone, now) : 0;
      const isSaved = await lease.saveSearch({ cursor: page.next ?? FIRST, heldSince: doubtfulSince });
      // Another worker has the lease, or Redis lost data: the jobs may be lost too.
      if (!isSaved) known.clear();
      return emitted;
    },
    except(appointmentIds, now) {
      for (const appointmentId of appointmentIds) if (known.size < MAX_KNOWN) known.set(appointmentId, now);
    },
    held: () => held,
    forget() {
      held = undefined;
      known.clear();
    },
  };
}

const FIRST = { companyId: '', publishedAt: null };

/**
 * Single deletions are usual. If most of a page is gone, the collection may have been dropped or renamed, or this may be
 * another database, and the operator needs time to notice it.
 */
function isDoubtful(gone: number, checked: number): boolean {
  return gone > MAX_UNQUESTIONED && gone > checked / 2;
}

/** The same publication found gone again has the same emission id, so it adds one job. */
function toEmission(
  { appointmentId, companyId, publishedAt }: PublishedAppointment,
  now: number,
): MissedEmission {
  return {
    event: APPOINTMENT_DELETED,
    appointmentId,
    companyId,
    emissionId: `sweep-${appointmentId}-gone-${publishedAt}`,
    acceptedAt: new Date(now).toISOString(),
  };
}
