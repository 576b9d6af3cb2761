import { hash } from 'node:crypto';
import { cut, OBJECT_ID, singleLine } from '@appointment-emissions/contracts';
import type { Logger } from './logger.ts';
import { createThrottledLog, type ThrottledLog } from './throttled-log.ts';

/**
 * - `done`: the change was made; in a dry run, it was counted.
 * - `refused`: the request was not allowed or not valid, and nothing was changed.
 * - `failed`: a server failed, and a part may have been changed.
 * - `unknown`: the connection of the caller ended before the answer.
 */
export type AuditResult = 'done' | 'refused' | 'failed' | 'unknown';

/** One change by an operator, or an attempt. */
export interface AuditEntry {
  /** The operator's name; of a command, the system user. Undefined if the caller did not sign in. */
  who?: string | undefined;
  via: 'page' | 'bull-board' | 'command';
  /** Such as `retry-failed`, or a route of Bull Board. */
  action: string;
  /** The emissions, company or queue that it concerned, see {@link auditFilter}. */
  filter?: Readonly<Record<string, unknown>> | undefined;
  dryRun?: boolean | undefined;
  /** Number of emissions, sockets or keys that were found; on Bull Board of jobs or queues. Undefined if they could not be counted. */
  matched?: number | undefined;
  /** Number of those that were changed, if known. */
  changed?: number | undefined;
  result: AuditResult;
  /** Error code, if it was not done. */
  code?: string | undefined;
}

/** Writes the log line `audit`. */
export type Audit = (entry: AuditEntry) => void;

const MAX_NAME_LENGTH = 100;
/** Refused attempts of an operator in a minute, each with its line. */
const MAX_REFUSED = 60;
const MINUTE_MS = 60_000;

/**
 * The lines do not depend on `LOG_LEVEL`, unless that is `silent`. Attempts without a sign-in are throttled, since anyone can make
 * them, and refused attempts of an operator above 60 a minute.
 */
export function createAudit(logger: Logger, now: () => number = () => performance.now()): Audit {
  const log = logger.isLevelEnabled('fatal') ? logger.child({}, { level: 'info' }) : logger;
  const notSignedIn = createThrottledLog(log, 'audit', { now });
  const refused = createCountRefused(log, now);
  return ({ who, ...entry }) => {
    if (who === undefined) {
      notSignedIn({ who: null, ...entry }, entry.code ?? '');
      return;
    }
    const line = { who: singleLine(cut(who, MAX_NAME_LENGTH)), ...entry };
    if (entry.result === 'refused' && refused(line)) return;
    log[entry.result === 'done' ? 'info' : 'warn'](line, 'audit');
  };
}

/** Returns a function that counts a refused attempt. If there were too many, it logs it throttled, and returns true. */
function createCountRefused(log: Logger, now: () => number): (line: { who: string }) => boolean {
  const byOperator = new Map<string, { since: number; count: number; log: ThrottledLog }>();
  return (line) => {
    const { who } = line;
    const own = byOperator.get(who) ?? {
      since: now(),
      count: 0,
      log: createThrottledLog(log, 'audit', { now }),
    };
    byOperator.set(who, own);
    if (now() - own.since >= MINUTE_MS) Object.assign(own, { since: now(), count: 0 });
    own.count += 1;
    if (own.count <= MAX_REFUSED) return false;
    own.log(line, `more than ${MAX_REFUSED} refused attempts in a minute`);
    return true;
  };
}

const ID = /^[\w:.-]{1,200}$/;
const TIME = /^[\w:.+-]{1,40}$/;
const ALLOWED: Readonly<Record<string, RegExp>> = {
  emissionId: ID,
  companyId: OBJECT_ID,
  appointmentId: OBJECT_ID,
  since: TIME,
  until: TIME,
  code: /^[A-Z_]{1,100}$/,
  limit: /^\d{1,10}$/,
};

/**
 * The fields of a request that select what it concerns. An invalid value, which can be any text, is replaced. A user is named by the
 * SHA-256 digest, since an issuer may use an e-mail address as the user's id.
 */
export function auditFilter(request: unknown): Record<string, unknown> {
  const { userId, ...given } = Object(request) as Record<string, unknown>;
  const filter = Object.entries(ALLOWED)
    .filter(([name]) => given[name] !== undefined)
    .map(([name, pattern]) => {
      const value = given[name];
      const isScalar = typeof value === 'string' || typeof value === 'number';
      return [name, isScalar && pattern.test(String(value)) ? value : 'not valid'];
    });
  return {
    ...(Object.fromEntries(filter) as Record<string, unknown>),
    ...(typeof userId === 'string' && { userHash: hash('sha256', userId) }),
  };
}

/** The numbers of a report. One without numbers is about one emission. */
export function auditCounts(report: object, dryRun: boolean): Pick<AuditEntry, 'matched' | 'changed'> {
  const counts = report as { matched?: number; repaired?: number; removed?: number };
  const { matched = 1, repaired, removed } = counts;
  return { matched, changed: dryRun ? 0 : (repaired ?? removed ?? matched) };
}

/** @param status  of HTTP, also of an error that has not been sent */
export function auditResult(status: number): AuditResult {
  if (status < 400) return 'done';
  return status < 500 ? 'refused' : 'failed';
}
