import { createHash, timingSafeEqual } from 'node:crypto';
import { posix } from 'node:path';
import type { RequestHandler } from 'express';
import { type AuthFailures, tooMany } from './limit-rate.ts';
import { problem, sendProblem } from '../problem.ts';

/** HTTP Basic for the operator's pages. After too many wrong passwords every request from the address is 429 for a while. */
export function requireBasicAuth(
  user: string,
  password: string,
  { rate, addressOf }: AuthFailures,
): RequestHandler {
  const expected = digest(`${user}:${password}`);
  return (req, res, next) => {
    const before = rate.peek(addressOf(req));
    if (!before.isAllowed) throw tooMany('wrong passwords from this address', before);
    const [scheme = '', credentials = ''] = (req.get('authorization') ?? '').split(' ');
    const given = Buffer.from(credentials, 'base64').toString('utf8');
    if (scheme.toLowerCase() === 'basic' && timingSafeEqual(digest(given), expected)) {
      next();
      return;
    }
    if (credentials !== '') rate.consume(addressOf(req));
    res.set('WWW-Authenticate', 'Basic realm="operators", charset="UTF-8"');
    sendProblem(res, problem('ADMIN_AUTH_REQUIRED', 'sign in with ADMIN_USER and ADMIN_PASSWORD'));
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

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
