import { APPOINTMENT_DELETED, type AppointmentEvent } from '@appointment-emissions/contracts';
import type { AcceptEmissions, EmissionRequest, RequestContext } from '../accept/accept-emission.ts';
import { describeEmission } from '../domain/emission-log.ts';
import { toHexId } from '../domain/to-hex-id.ts';
import { errorMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { createAfterCommit } from './after-commit.ts';
import type { AnnounceWrite } from './options.ts';

/** The application's own writes have no Idempotency-Key. */
const OWN_WRITE: RequestContext = { isRepeat: false, seed: undefined, progress: undefined };

export interface AnnounceWritesDeps {
  /** Logs each accepted emission. */
  accept: Pick<AcceptEmissions, 'one'>;
  logger: Logger;
}

/**
 * Announces the application's own writes: the same check and queue as for the bot's, without HTTP.
 * @returns a function that takes the event and, for a deletion, the appointment's company
 */
export function createAnnounceWrites({ accept, logger }: AnnounceWritesDeps) {
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

  return (event: AppointmentEvent, company?: unknown): AnnounceWrite =>
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
}
