import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Job, JobType, Queue } from 'bullmq';
import { type Express, type RequestHandler, Router } from 'express';
import { isolate } from '@appointment-emissions/contracts';
import { AppError } from '../../errors.ts';
import { isWrongType } from '../../redis/redis-errors.ts';
import { isRead, operatorOf, requireRepairRole } from '../middleware/basic-auth.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { createCountBoardWrite, type EachShard } from './board-writes.ts';

export const BULL_BOARD_PATH = '/admin/queues';

const KEPT = 'One job is one emission. Completed ones are kept for a day, failed ones for 14 days.';

/** As Bull Board's own limit. */
const MAX_BODY_BYTES = 100 * 1024;

/** What Bull Board hands to a formatter of names. */
interface BoardJob {
  name?: string;
  data?: { appointmentId?: unknown; companyId?: unknown } | null;
  attemptsMade?: number;
  opts?: { attempts?: unknown };
}

/**
 * Bull Board over the queues, also over those that are opened later. Operators of the role view get a board without buttons, and
 * every change by them is refused.
 */
export function createBullBoardRoutes(eachShard: EachShard, basePath?: string): RequestHandler {
  const [view, repair] = [createBoard(eachShard, true, basePath), createBoard(eachShard, false, basePath)];
  const countWrite = createCountBoardWrite(eachShard);
  const answer: RequestHandler = (req, res, next) => {
    // A board gives the request the prototypes of its own application.
    const prototypes = [req, res].map((one) => Object.getPrototypeOf(one) as object);
    const board = operatorOf(res).role === 'repair' ? repair : view;
    return board(req, res, (error?: unknown) => {
      for (const [index, one] of [req, res].entries()) Object.setPrototypeOf(one, prototypes[index] ?? null);
      next(error);
    });
  };
  const count: RequestHandler = (req, res, next) => {
    if (isRead(req)) {
      next();
      return;
    }
    // Bull Board's replies have no number for the audit line.
    const counted = countWrite(req).then((matched) => (res.locals.matched = matched));
    counted.then(() => {
      next();
    }, next);
  };
  return Router().use(checkRole, ...jsonBody(MAX_BODY_BYTES), refuseUnreadable, count, answer);
}

const checkRole: RequestHandler = (req, res, next) => {
  if (!isRead(req)) requireRepairRole(res);
  next();
};

/** Refuses names that are not encoded, and NUL: Bull Board would answer 500. */
const refuseUnreadable: RequestHandler = ({ query, body }, _res, next) => {
  if (![query['activeQueue'], query['queueName']].every(isDecodable)) {
    throw new AppError('INVALID_REQUEST', 'the name of the queue is not correctly encoded');
  }
  if ([query, body].some(hasNul)) {
    throw new AppError('INVALID_REQUEST', 'a value has the character NUL: remove it');
  }
  next();
};

/** Bull Board splits its messages at NUL, also where a message quotes a value of the request. */
function hasNul(root: unknown): boolean {
  // A list instead of recursion: a body can be nested deeper than the stack.
  const values = [root];
  for (const value of values) {
    if (typeof value === 'string' && value.includes('\0')) return true;
    if (typeof value === 'object' && value !== null)
      for (const part of Object.values(value)) values.push(part);
  }
  return false;
}

/** Bull Board decodes a name again, and would answer 500. */
function isDecodable(name: unknown): boolean {
  try {
    decodeURIComponent(String(name));
    return true;
  } catch {
    return false;
  }
}

/** @returns a separate Express application with default settings */
function createBoard(eachShard: EachShard, readOnlyMode: boolean, basePath = ''): RequestHandler {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(`${basePath}${BULL_BOARD_PATH}`);
  const show = (queue: Queue, of: string): BullMQAdapter => {
    const adapter = new BullMQAdapter(queue, { readOnlyMode, description: `${of} ${KEPT}` });
    adapter.setFormatter('name', jobTitle);
    adapter.getJobs = async (states, start, end) => {
      // BullMQ has no state 'paused', and takes an empty list for all states.
      const existing = states.filter((state) => state !== 'paused');
      return existing.length > 0 ? readJobs(queue, existing, { start, end }) : [];
    };
    return adapter;
  };
  const { addQueue } = createBullBoard({
    queues: [],
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Appointment emissions' } },
  });
  eachShard(({ index, live, bulk }) => {
    const of = index === 0 ? '' : ` of shard ${index}`;
    addQueue(show(live, `Live queue${of}: single emissions.`));
    addQueue(
      show(bulk, `Bulk queue${of}: batches, repairs and the sweep. Live emissions do not wait for them.`),
    );
  });
  const board = serverAdapter.getRouter() as Express;
  board.disable('x-powered-by');
  return board;
}

/**
 * Reads jobs one by one, and leaves out those that BullMQ cannot read: Bull Board would answer 500 for the whole page if another
 * program has damaged one of them.
 */
async function readJobs(
  queue: Queue,
  states: JobType[],
  { start = 0, end = -1 }: { start: number | undefined; end: number | undefined },
): Promise<Job[]> {
  const ids = await queue.getRanges(states, start, end);
  const jobs = await Promise.all(ids.map((id) => readJob(queue, id)));
  return jobs.filter((job) => job !== undefined);
}

/** @throws if Redis is unavailable */
async function readJob(queue: Queue, id: string): Promise<Job | undefined> {
  try {
    const job = await queue.getJob(id);
    return job && correctFields(job);
  } catch (error) {
    if (isWrongType(error) || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Bull Board's schema refuses the whole page if a number of one job is NaN, or a stack trace is not text. */
function correctFields(job: Job): Job {
  for (const field of ['timestamp', 'delay', 'attemptsMade'] as const)
    if (Number.isNaN(job[field])) job[field] = 0;
  const traces: readonly unknown[] = job.stacktrace ?? [];
  job.stacktrace = traces.filter((trace) => typeof trace === 'string');
  return job;
}

/** A job's headline: event, appointment, company, attempts. */
function jobTitle({ name = '', data, attemptsMade = 0, opts }: BoardJob): string {
  const { appointmentId, companyId } = data ?? {};
  if (typeof appointmentId !== 'string' || typeof companyId !== 'string') return name;
  const most = typeof opts?.attempts === 'number' ? opts.attempts : 1;
  const attempts = `${attemptsMade} of ${most} attempts`;
  return `${isolate(name)} · appointment ${isolate(appointmentId)} · company ${isolate(companyId)} · ${attempts}`;
}
