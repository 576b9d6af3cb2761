import { posix } from 'node:path';
import type { Request, RequestHandler, Response } from 'express';
import type { Operator } from '@appointment-emissions/contracts';
import type { AuthenticateOperator } from '../../access/operators.ts';
import { AppError } from '../../errors.ts';
import { type AuthFailures, tooMany } from './limit-rate.ts';
import { problem, sendProblem } from '../problem.ts';

/**
 * HTTP Basic for the operator's pages. After too many wrong passwords every request from the address is 429 for a while. The next
 * handlers find the operator by {@link operatorOf}.
 */
export function requireOperator(
  authenticate: AuthenticateOperator,
  { rate, addressOf }: AuthFailures,
): RequestHandler {
  return async (req, res, next) => {
    const address = addressOf(req);
    const before = rate.peek(address);
    if (!before.isAllowed) throw tooMany('wrong passwords from this address', before);
    const [scheme = '', encoded = ''] = (req.get('authorization') ?? '').split(' ');
    const credentials = scheme.toLowerCase() === 'basic' ? readCredentials(encoded) : undefined;
    const operator = credentials && (await authenticate(credentials, address));
    if (operator) {
      res.locals.operator = operator;
      next();
      return;
    }
    if (encoded !== '') rate.consume(address);
    res.set('WWW-Authenticate', 'Basic realm="operators", charset="UTF-8"');
    sendProblem(
      res,
      problem('ADMIN_AUTH_REQUIRED', 'sign in as an operator of ADMIN_USER or of OPERATORS_FILE'),
    );
  };
}

/** A name ends at the first colon. Basic allows no control characters; scrypt ignores NUL characters at the end of a password. */
function readCredentials(encoded: string): { name: string; password: string } | undefined {
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  const end = given.indexOf(':');
  return end < 0 || /\p{Cc}/u.test(given)
    ? undefined
    : { name: given.slice(0, end), password: given.slice(end + 1) };
}

/** The operator who signed in with this request. Only for handlers behind {@link requireOperator}. */
export function operatorOf(res: Response): Operator {
  return res.locals.operator as Operator;
}

/** @throws AppError ADMIN_READ_ONLY unless the operator may change something */
export function requireRepairRole(res: Response, exception = ''): void {
  if (operatorOf(res).role === 'repair') return;
  throw new AppError(
    'ADMIN_READ_ONLY',
    `your role is view: changes need the role repair (ADMIN_WRITES=on, or OPERATORS_FILE)${exception}`,
  );
}

/** Whether a request changes nothing, by its method. */
export const isRead = ({ method }: Pick<Request, 'method'>): boolean => READS.has(method);
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Requires credentials for every spelling of a path that the file server resolves below /admin. */
export function guardAdminPage(requireAdmin: RequestHandler): RequestHandler {
  return (req, res, next) => {
    if (isBelowAdmin(req.path)) return requireAdmin(req, res, next);
    next();
  };
}

function isBelowAdmin(path: string): boolean {
  try {
    return /^\/admin(\/|$)/i.test(posix.normalize(decodeURIComponent(path)));
  } catch {
    return true;
  }
}
