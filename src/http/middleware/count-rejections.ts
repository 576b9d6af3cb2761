import type { EmitReply } from '@appointment-emissions/contracts';
import { AppError } from '../../errors.ts';

/** Calls `onRejected` with the code of each refused token of a socket. */
export function countRefusedTokens<From extends unknown[], Viewer>(
  verifyToken: (...from: From) => Promise<Viewer>,
  onRejected: (code: string) => void,
): (...from: From) => Promise<Viewer> {
  return async (...from) => {
    try {
      return await verifyToken(...from);
    } catch (error) {
      if (error instanceof AppError) onRejected(error.code);
      throw error;
    }
  };
}

/** Calls `onRejected` with the code of each refused request of the `/internal` namespace. */
export function countRefusals<Request extends unknown[]>(
  emit: (...request: Request) => Promise<EmitReply>,
  onRejected: (code: string) => void,
): (...request: Request) => Promise<EmitReply> {
  return async (...request) => {
    const reply = await emit(...request);
    if (!reply.success && typeof reply.code === 'string') onRejected(reply.code);
    return reply;
  };
}
