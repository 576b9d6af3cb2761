import type { RequestHandler } from 'express';
import { AppError } from '../../errors.ts';

/** Last handler of a route: any other method is 405, with those that the route has in `Allow`. */
export function allowOnly(...methods: readonly string[]): RequestHandler {
  const allowed = methods.join(', ');
  return (req, res) => {
    res.set('Allow', allowed);
    throw new AppError('METHOD_NOT_ALLOWED', `${req.method} is not for this route; it takes ${allowed}`);
  };
}
