import type { RequestHandler } from 'express';

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
