import { APPOINTMENT_EVENTS, type EmitReply, isAppointmentEvent } from '@appointment-emissions/contracts';
import { AppError } from '../../errors.ts';
import type { AcceptEmissions } from '../../accept/accept-emission.ts';
import { acceptedReply, EMISSIONS_PATH, toRequest } from './emission-routes.ts';
import type { RunIdempotently } from '../../accept/idempotency.ts';
import { problem, toAppError } from '../problem.ts';
import { refuseSingle } from '../middleware/validate.ts';

export interface EmitReplyDeps {
  /** Path prefix of the URLs in answers. */
  basePath?: string | undefined;
  accept: AcceptEmissions;
  idempotently: RunIdempotently;
  /** Called with the cause of each server error. */
  onFault: (error: unknown) => void;
}

/** Does without HTTP what the single routes do. The reply is their body plus the status. Never rejects. */
export function createEmitReply({ basePath = '', accept, idempotently, onFault }: EmitReplyDeps) {
  async function answer(keyFingerprint: string, request: unknown): Promise<EmitReply> {
    if (typeof request !== 'object' || request === null || Array.isArray(request)) {
      throw new AppError(
        'INVALID_REQUEST',
        'the argument must be {event, appointmentId, companyId?, idempotencyKey?}',
      );
    }
    const { event, idempotencyKey, ...body } = request as Record<string, unknown>;
    if (!isAppointmentEvent(event)) {
      throw new AppError('INVALID_EVENT', `event must be one of ${APPOINTMENT_EVENTS.join(', ')}`);
    }
    const refused = await refuseSingle(event, body);
    if (refused) return { ...refused };
    if (idempotencyKey !== undefined && typeof idempotencyKey !== 'string') {
      throw new AppError('INVALID_IDEMPOTENCY_KEY', 'idempotencyKey must be a string');
    }
    const emission = toRequest(event, body);
    const emissionId = await idempotently({ keyFingerprint, idempotencyKey, body: emission }, (attempt) =>
      accept.one(emission, attempt),
    );
    return { status: 202, ...acceptedReply(emission, emissionId, `${basePath}${EMISSIONS_PATH}`) };
  }

  return async (keyFingerprint: string, request: unknown): Promise<EmitReply> => {
    try {
      return await answer(keyFingerprint, request);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.status >= 500) onFault(error.cause ?? thrown);
      return {
        ...problem(error.code, error.message),
        ...(error.retryAfterSeconds !== undefined && { retryAfterSeconds: error.retryAfterSeconds }),
      };
    }
  };
}
