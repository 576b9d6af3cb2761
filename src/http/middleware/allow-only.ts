import type { RequestHandler } from 'express';
import { AppError } from '../../errors.ts';

/** Last handler of a route: every other method is 405, with the supported ones in `Allow`. */
export function allowOnly(...methods: readonly string[]): RequestHandler {
  const allowed = methods.join(', ');
  return (req, res) => {
    res.set('Allow', allowed);
    throw new AppError('METHOD_NOT_ALLOWED', `${req.method} is not supported by this route; use ${allowed}`);
  };
}
