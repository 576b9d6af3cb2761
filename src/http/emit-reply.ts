import type { EmitReply } from '../contracts/socket.ts';
import { AppError, messageOf } from '../errors.ts';
import type { AcceptEmissions } from './accept-emission.ts';
import { acceptedReply, judge } from './emission-routes.ts';
import type { RunIdempotently } from './idempotency.ts';
import { problem } from './problem.ts';

export interface EmitReplyDeps {
  accept: AcceptEmissions;
  idempotently: RunIdempotently;
}

/** The single routes' answer without HTTP: the same body, plus its status. Never rejects. */
export function createEmitReply({ accept, idempotently }: EmitReplyDeps) {
  return async (request: {
    keyFingerprint: string;
    event: unknown;
    appointmentId: unknown;
    idempotencyKey: string | undefined;
  }): Promise<EmitReply> => {
    const { keyFingerprint, event, appointmentId, idempotencyKey } = request;
    try {
      const asked = judge({ event, appointmentId });
      if (typeof asked === 'string')
        throw new AppError(asked, 'send {event, appointmentId, idempotencyKey?}');
      const emissionId = await idempotently({ keyFingerprint, idempotencyKey, body: asked }, (by) =>
        accept.one(asked, by),
      );
      return { status: 202, ...acceptedReply(asked, emissionId) };
    } catch (thrown) {
      const error = thrown instanceof AppError ? thrown : new AppError('INTERNAL_ERROR', messageOf(thrown));
      return {
        ...problem(error.code, error.message),
        ...(error.retryAfterSeconds !== undefined && { retryAfterSeconds: error.retryAfterSeconds }),
      };
    }
  };
}
