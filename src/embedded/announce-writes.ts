import {
  APPOINTMENT_CANCELED,
  APPOINTMENT_CREATED,
  APPOINTMENT_DELETED,
  APPOINTMENT_UPDATED,
  type AppointmentEvent,
  type Id,
} from '@appointment-emissions/contracts';
import type { AcceptEmissions, EmissionRequest, RequestContext } from '../accept/accept-emission.ts';
import { describeEmission } from '../domain/emission-log.ts';
import { toHexId } from '../domain/to-hex-id.ts';
import { errorMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { createAfterCommit } from './after-commit.ts';
import type { AnnounceWrite, Emissions, TransactionSession, WriteOptions } from './options.ts';

/** The application's own writes have no Idempotency-Key. */
const OWN_WRITE: RequestContext = { isRepeat: false, seed: undefined, progress: undefined };

export interface AnnounceWritesDeps {
  /** Logs each accepted emission. */
  accept: Pick<AcceptEmissions, 'one'>;
  logger: Logger;
}

/** Announces the application's own writes: the same check and queue as for the bot's, without HTTP. */
export function createAnnounceWrites({
  accept,
  logger,
}: AnnounceWritesDeps): Pick<Emissions, 'created' | 'updated' | 'canceled' | 'deleted'> {
  const afterCommit = createAfterCommit();

  function failed(named: Pick<EmissionRequest, 'event'> & Partial<EmissionRequest>, error: string): false {
    logger.error({ ...named, error }, `[InternalSocket] Failed to emit ${describeEmission(named)}`);
    return false;
  }

  async function emit(request: EmissionRequest): Promise<boolean> {
    try {
      await accept.one(request, OWN_WRITE);
      return true;
    } catch (error) {
      return failed(request, errorMessage(error));
    }
  }

  /** @param company  of the appointment, for a deletion */
  async function announce(
    event: AppointmentEvent,
    given: unknown,
    { session, company }: WriteOptions & { company?: unknown },
  ): Promise<boolean> {
    const [appointmentId, companyId] = [idOf(given), idOf(company)];
    // The arguments can contain personal data, so they are not logged.
    if (appointmentId === undefined) return failed({ event }, 'the appointment id is not an ObjectId');
    if (event === APPOINTMENT_DELETED && companyId === undefined) {
      return failed({ event, appointmentId }, 'the company id is not an ObjectId');
    }
    const request = { event, appointmentId, ...(companyId !== undefined && { companyId }) };
    try {
      if (!hasTransaction(session)) return await emit(request);
      afterCommit(session, `${event} ${appointmentId}`, () => void emit(request));
      return true;
    } catch (error) {
      return failed(request, errorMessage(error));
    }
  }

  // An application written in JavaScript may pass `null` for the options.
  const announceWrite =
    (event: AppointmentEvent): AnnounceWrite =>
    (appointmentId, options) =>
      announce(event, appointmentId, { session: options?.session });

  return {
    created: announceWrite(APPOINTMENT_CREATED),
    updated: announceWrite(APPOINTMENT_UPDATED),
    canceled: announceWrite(APPOINTMENT_CANCELED),
    deleted: (appointmentId, company, options) =>
      announce(APPOINTMENT_DELETED, appointmentId, { session: options?.session, company }),
  };
}

/** As `toHexId`, also for objects whose properties throw. */
function idOf(given: unknown): Id | undefined {
  try {
    return toHexId(given);
  } catch {
    return undefined;
  }
}

/** An application written in JavaScript may pass anything. @throws TypeError if it is not a session of the driver */
function hasTransaction(session: WriteOptions['session']): session is TransactionSession {
  if (!session) return false;
  const { inTransaction, commitTransaction }: Partial<TransactionSession> = session;
  if (typeof inTransaction !== 'function' || typeof commitTransaction !== 'function') {
    throw new TypeError(
      "the session is not one of MongoDB's driver: pass { session } as mongoose returns it",
    );
  }
  return session.inTransaction();
}
