import type { AppointmentEvent } from '@appointment-emissions/contracts';
import type { AcceptEmissions, RequestContext } from '../accept/accept-emission.ts';
import { toHexId } from '../domain/to-hex-id.ts';
import { errorMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { createAfterCommit } from './after-commit.ts';
import type { AnnounceWrite } from './options.ts';

/** No request that could be repeated. */
const OWN_WRITE: RequestContext = { isRepeat: false, seed: undefined, progress: undefined };

export interface AnnounceWritesDeps {
  accept: Pick<AcceptEmissions, 'one'>;
  logger: Logger;
}

/** Announces the application's own writes: the same check and queue as for the bot's, without HTTP. */
export function createAnnounceWrites({ accept, logger }: AnnounceWritesDeps) {
  const afterCommit = createAfterCommit();

  function failed(event: AppointmentEvent, appointmentId: string, error: string): false {
    logger.error(
      { event, appointmentId, error },
      `[InternalSocket] Failed to emit ${event} for ${appointmentId}`,
    );
    return false;
  }

  async function emit(event: AppointmentEvent, appointmentId: string): Promise<boolean> {
    try {
      const emissionId = await accept.one({ event, appointmentId }, OWN_WRITE);
      const text = `[InternalSocket] Emitted ${event} for ${appointmentId}`;
      logger.info({ event, appointmentId, emissionId }, text);
      return true;
    } catch (error) {
      return failed(event, appointmentId, errorMessage(error));
    }
  }

  return (event: AppointmentEvent): AnnounceWrite =>
    async (given, { session } = {}) => {
      const appointmentId = toHexId(given);
      // What was given may contain anything, so it is not logged.
      if (appointmentId === undefined)
        return failed(event, '(no id)', 'the appointment id is not an ObjectId');
      try {
        if (!session?.inTransaction()) return await emit(event, appointmentId);
        afterCommit(session, `${event} ${appointmentId}`, () => void emit(event, appointmentId));
        return true;
      } catch (error) {
        return failed(event, appointmentId, errorMessage(error));
      }
    };
}
