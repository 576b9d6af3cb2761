import type { RequestHandler } from 'express';
import { posix } from 'node:path';

/** Asks for credentials wherever the file server would look below /admin, however the path is spelt. */
export function guardAdminPage(requireAdmin: RequestHandler): RequestHandler {
  return (req, res, next) => {
    if (isBelowAdmin(req.path)) requireAdmin(req, res, next);
    else next();
  };
}

function isBelowAdmin(path: string): boolean {
  try {
    return /^\/admin(\/|$)/i.test(posix.normalize(decodeURIComponent(path)));
  } catch {
    return true;
  }
}
