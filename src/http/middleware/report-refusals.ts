import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RequestHandler, Response } from 'express';
import {
  type AppointmentEvent,
  type EmitReply,
  EVENT_SLUGS,
  type ProblemReply,
} from '@appointment-emissions/contracts';
import type { LogRefused } from '../../accept/log-requests.ts';
import { chunks } from '../../batching.ts';
import { readNamedEmission } from '../../domain/emission-log.ts';
import { AppError, ERROR_CODES, type ErrorCode } from '../../errors.ts';

/** An item that the batch route rejected, as it was sent. */
export interface RefusedItem {
  code: ErrorCode;
  item: unknown;
}

/** Lines of a batch that are written in one turn of the event loop. */
const LINES_PER_TURN = 50;

/** What a route leaves in `res.locals` about a refused request. */
interface Refused {
  problem?: ProblemReply;
  refusedItems?: RefusedItem[];
}

/**
 * Counts each refused request and each rejected item of a batch. An accepted request costs one listener.
 * @param logRefused  for the routes of emissions: logs those of a `POST`
 */
export function reportRefusals(onRejected: (code: string) => void, logRefused?: LogRefused): RequestHandler {
  return (req, res, next) => {
    const isEmission = logRefused !== undefined && req.method === 'POST';
    if (isEmission) res.locals.isEmission = true;
    // Read now, since Express changes it until the answer is sent.
    const { path } = req;
    res.once('finish', () => {
      const { problem, refusedItems } = res.locals as Refused;
      if (!problem && !refusedItems) return;
      for (const { code } of refusedItems ?? []) onRejected(code);
      if (problem) onRejected(problem.code);
      if (!isEmission) return;
      const caller = callerOf(res);
      if (problem) {
        const { status, detail } = problem;
        const { appointmentId } = readNamedEmission(req.body);
        const code = problem.code as ErrorCode;
        logRefused({ code, status, detail, event: eventOfPath(path), appointmentId, ...caller });
      }
      if (refusedItems) void logItems(refusedItems, caller, logRefused);
    });
    next();
  };
}

/** Logs each refused request of the `/internal` namespace. */
export function logRefusedReplies<From>(
  emit: (keyFingerprint: string, request: unknown, from: From) => Promise<EmitReply>,
  logRefused: LogRefused,
): (keyFingerprint: string, request: unknown, from: From) => Promise<EmitReply> {
  return async (key, request, from) => {
    const reply = await emit(key, request, from);
    if (!reply.success) {
      const { code, status, detail } = reply as EmitReply & ProblemReply;
      logRefused({ code: code as ErrorCode, status, detail, ...readNamedEmission(request), key });
    }
    return reply;
  };
}

/** Calls `onRejected` with the code of each refused token of a socket. */
export function countRefusedTokens<From extends unknown[], Viewer>(
  verifyToken: (...from: From) => Promise<Viewer>,
  onRejected: (code: string) => void,
): (...from: From) => Promise<Viewer> {
  return async (...from) => {
    try {
      return await verifyToken(...from);
    } catch (error) {
      if (error instanceof AppError) onRejected(error.code);
      throw error;
    }
  };
}

/** Calls `onRejected` with the code of each refused request of the `/internal` namespace. */
export function countRefusals<Request extends unknown[]>(
  emit: (...request: Request) => Promise<EmitReply>,
  onRejected: (code: string) => void,
): (...request: Request) => Promise<EmitReply> {
  return async (...request) => {
    const reply = await emit(...request);
    if (!reply.success && typeof reply.code === 'string') onRejected(reply.code);
    return reply;
  };
}

async function logItems(
  items: readonly RefusedItem[],
  caller: ReturnType<typeof callerOf>,
  logRefused: LogRefused,
): Promise<void> {
  for (const slice of chunks(items, LINES_PER_TURN)) {
    for (const { code, item } of slice)
      logRefused({ code, status: ERROR_CODES[code], ...readNamedEmission(item), ...caller });
    await nextTurn();
  }
}

function callerOf(res: Response): { requestId: string | undefined; key: string | undefined } {
  const { requestId, keyFingerprint } = res.locals as { requestId?: string; keyFingerprint?: string };
  return { requestId, key: keyFingerprint };
}

/** Express matches a path in any case, and with a slash at its end. */
function eventOfPath(path: string): AppointmentEvent | undefined {
  const slug = path.toLowerCase().replaceAll('/', '');
  return Object.entries(EVENT_SLUGS).find(([name]) => name === slug)?.[1];
}
