import type { RequestHandler } from 'express';
import type { EmitReply } from '../contracts/socket.ts';

/** Tells `onRejected` the code of each answer that turned a request away. */
export function countRejections(onRejected: (code: string) => void): RequestHandler {
  return (_req, res, next) => {
    res.once('finish', () => {
      const code: unknown = res.locals.problemCode;
      if (typeof code === 'string') onRejected(code);
    });
    next();
  };
}

type Emit = (keyFingerprint: string, request: unknown) => Promise<EmitReply>;

/** The same for answers without HTTP. */
export function countRefusals(emit: Emit, onRejected: (code: string) => void): Emit {
  return async (keyFingerprint, request) => {
    const reply = await emit(keyFingerprint, request);
    if (!reply.success && typeof reply.code === 'string') onRejected(reply.code);
    return reply;
  };
}
