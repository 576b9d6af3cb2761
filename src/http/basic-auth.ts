import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { problem, sendProblem } from './problem.ts';

/** HTTP Basic for the operator's pages. */
export function requireBasicAuth(user: string, password: string): RequestHandler {
  const expected = digest(`${user}:${password}`);
  return (req, res, next) => {
    const [scheme = '', credentials = ''] = (req.get('authorization') ?? '').split(' ');
    const given = Buffer.from(credentials, 'base64').toString('utf8');
    if (scheme.toLowerCase() === 'basic' && timingSafeEqual(digest(given), expected)) {
      next();
      return;
    }
    res.set('WWW-Authenticate', 'Basic realm="operators", charset="UTF-8"');
    sendProblem(res, problem('ADMIN_AUTH_REQUIRED', 'sign in with ADMIN_USER and ADMIN_PASSWORD'));
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
