import type { Request, RequestHandler, Response } from 'express';
import type { Operator, ProblemReply } from '@appointment-emissions/contracts';
import { type Audit, auditCounts, type AuditEntry, auditFilter, auditResult } from '../../process/audit.ts';
import { toAppError } from '../problem.ts';
import { isRead, operatorOf } from './basic-auth.ts';

/**
 * Writes an audit line for each request that would change something, when its response ends, unless {@link auditRepair} writes the
 * line. It precedes the check of the credentials, so that refused attempts have a line too.
 */
export function auditChanges(audit: Audit, via: 'page' | 'bull-board'): RequestHandler {
  return (req, res, next) => {
    if (!isRead(req)) {
      const action = via === 'page' ? readPageAction(req.path) : readBoardAction(req);
      res.once('close', () => {
        if (res.locals.isAudited !== true) audit({ via, ...action, ...whoAndResult(res) });
      });
    }
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
  const entry = {
    who: operatorOf(res).name,
    via: 'page',
    action,
    filter: auditFilter(request),
    dryRun,
  } as const;
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

const PAGE_ACTION = /^\/([a-z-]{1,40})\/?$/;
const readPageAction = (path: string) => ({ action: PAGE_ACTION.exec(path)?.[1] ?? 'not a route' });

const WORD = /^[\w:.-]{1,200}$/;

/**
 * Bull Board's routes: `/api/queues/pause`, `/api/queues/<queue>/pause`, `/api/queues/<queue>/<job>/retry`. A path can contain
 * anything, so only known forms of it are logged.
 */
function readBoardAction({ method, path }: Request): Pick<AuditEntry, 'action' | 'filter'> {
  const [api, queues, ...words] = path.split('/').slice(1);
  if (api !== 'api' || queues !== 'queues' || !words.every((word) => WORD.test(word)))
    return { action: `${method} not a route` };
  const [queue, job, ...more] = words;
  if (job === undefined) return { action: `${method} ${queue ?? ''}` };
  // Such as `retry/failed` of a queue, and `retry` of a job.
  const isOfQueue = more.length === 0 || QUEUE_ACTIONS.has(job);
  if (isOfQueue) return { action: `${method} ${[job, ...more].join('/')}`, filter: { queue } };
  return { action: `${method} ${more.join('/')}`, filter: { queue, job } };
}

/** Those that another word follows. */
const QUEUE_ACTIONS = new Set(['retry', 'clean', 'rate-limit', 'job-schedulers']);
