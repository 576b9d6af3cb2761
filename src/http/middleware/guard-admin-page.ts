import type { RequestHandler } from 'express';
import { posix } from 'node:path';

/** Requires credentials for every spelling of a path that the file server resolves below /admin. */
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
