import type { Request, RequestHandler, Response } from 'express';
import type { Operator, ProblemReply } from '@appointment-emissions/contracts';
import { type Audit, auditCounts, type AuditEntry, auditFilter, auditResult } from '../../process/audit.ts';
import { toAppError } from '../problem.ts';
import { findBoardWrite } from '../routes/board-writes.ts';
import { isRead, operatorOf } from './basic-auth.ts';

/**
 * Writes an audit line for each request to the page's API that would change something, when its response ends, unless
 * {@link auditRepair} writes the line. It precedes the check of the credentials, so that refused attempts have a line too.
 */
export function auditPage(audit: Audit): RequestHandler {
  return onChange((req, res) => {
    const action = PAGE_ACTION.exec(req.path)?.[1] ?? 'not a route';
    return () => {
      if (res.locals.isAudited !== true) audit({ via: 'page', action, ...whoAndResult(res) });
    };
  });
}

const PAGE_ACTION = /^\/([a-z-]{1,40})\/?$/;

/** The same for Bull Board, which has no dry runs. `matched` is the number that `createCountBoardWrite` found before the change. */
export function auditBoard(audit: Audit): RequestHandler {
  return onChange((req, res) => {
    const { action, filter } = findBoardWrite(req) ?? { action: `${req.method} not a route` };
    return () => {
      const outcome = whoAndResult(res);
      const { matched } = res.locals as { matched?: number };
      const counts = outcome.result === 'refused' ? { changed: 0 } : { matched };
      audit({ via: 'bull-board', action, filter, dryRun: false, ...counts, ...outcome });
    };
  });
}

/** `begin` is called when the request arrives, and the function that it returns when the response ends. */
function onChange(begin: (req: Request, res: Response) => () => void): RequestHandler {
  return (req, res, next) => {
    if (!isRead(req)) res.once('close', begin(req, res));
    next();
  };
}

/** Runs a repair of the page, and writes its audit line with the numbers of the report. */
export async function auditRepair<Report extends object>(
  audit: Audit,
  { action, req, res }: { action: string; req: Request; res: Response },
  repair: () => Promise<Report>,
): Promise<Report> {
  // Also if the caller disconnects before the answer: the repair goes on.
  res.locals.isAudited = true;
  const request = req.body as { dryRun?: unknown };
  const dryRun = request.dryRun === true;
  const { name: who } = operatorOf(res);
  const entry = { who, via: 'page', action, filter: auditFilter(request), dryRun } as const;
  try {
    const report = await repair();
    audit({ ...entry, ...auditCounts(report, dryRun), result: 'done' });
    return report;
  } catch (error) {
    const { code, status } = toAppError(error);
    audit({ ...entry, result: auditResult(status), code });
    throw error;
  }
}

function whoAndResult(res: Response): Pick<AuditEntry, 'who' | 'result' | 'code'> {
  const { operator, problem } = res.locals as { operator?: Operator; problem?: ProblemReply };
  const isAnswered = res.writableFinished;
  const isRefused = isAnswered && res.statusCode >= 400;
  return {
    who: operator?.name,
    result: isAnswered ? auditResult(res.statusCode) : 'unknown',
    code: isRefused ? (problem?.code ?? `HTTP_${res.statusCode}`) : undefined,
  };
}
