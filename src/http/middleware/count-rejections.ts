import type { RequestHandler } from 'express';
import type { EmitReply, ProblemReply } from '@appointment-emissions/contracts';
import { AppError } from '../../errors.ts';
import type { RefusedItem } from './log-refusals.ts';

/** Calls `onRejected` with the code of each rejection, and of each rejected item of a batch. */
export function countRejections(onRejected: (code: string) => void): RequestHandler {
  return (_req, res, next) => {
    res.once('finish', () => {
      const { problem, refusedItems = [] } = res.locals as {
        problem?: ProblemReply;
        refusedItems?: RefusedItem[];
      };
      for (const { code } of refusedItems) onRejected(code);
      if (problem) onRejected(problem.code);
    });
    next();
  };
}

/** The same for tokens of sockets. */
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

/** The same for answers without HTTP. */
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
