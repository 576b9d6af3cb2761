import {
  APPOINTMENT_CANCELED,
  APPOINTMENT_CREATED,
  APPOINTMENT_DELETED,
  APPOINTMENT_UPDATED,
  type AppointmentEvent,
} from '@appointment-emissions/contracts';
import type { AcceptEmissions, EmissionRequest, RequestContext } from '../accept/accept-emission.ts';
import { describeEmission } from '../domain/emission-log.ts';
import { toHexId } from '../domain/to-hex-id.ts';
import { errorMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { createAfterCommit } from './after-commit.ts';
import type { AnnounceWrite, Emissions } from './options.ts';

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
  const announce =
    (event: AppointmentEvent, company?: unknown): AnnounceWrite =>
    async (given, { session } = {}) => {
      const [appointmentId, companyId] = [toHexId(given), toHexId(company)];
      // The arguments can contain personal data, so they are not logged.
      if (appointmentId === undefined) return failed({ event }, 'the appointment id is not an ObjectId');
      if (event === APPOINTMENT_DELETED && companyId === undefined) {
        return failed({ event, appointmentId }, 'the company id is not an ObjectId');
      }
      const request = { event, appointmentId, ...(companyId !== undefined && { companyId }) };
      try {
        if (!session?.inTransaction()) return await emit(request);
        afterCommit(session, `${event} ${appointmentId}`, () => void emit(request));
        return true;
      } catch (error) {
        return failed(request, errorMessage(error));
      }
    };

  return {
    created: announce(APPOINTMENT_CREATED),
    updated: announce(APPOINTMENT_UPDATED),
    canceled: announce(APPOINTMENT_CANCELED),
    deleted: (appointmentId, companyId, options) =>
      announce(APPOINTMENT_DELETED, companyId)(appointmentId, options),
  };
}
