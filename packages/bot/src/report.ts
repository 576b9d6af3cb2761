import { isNativeError } from 'node:util/types';
import { type AppointmentEvent, cut } from '@appointment-emissions/contracts';
import { rejectedItems, type Answer, type AttemptResult } from './attempt-result.ts';
import type { Delivery } from './deliver.ts';
import type { MessageFlow } from './message-flow.ts';

/** While the circuit breakers are open, all calls together write at most one line in this time. */
const NOT_TRIED_INTERVAL_MS = 10_000;
/** Maximum length of a logged reply, in code points. */
const MAX_LOGGED = 2_000;
/** Maximum number of rejected items that a line names. */
const MAX_LOGGED_ITEMS = 20;
/** Maximum number of reasons that are printed to the console. */
const MAX_NOTICES = 20;
const FAILED = 'Failed to emit socket event';

/** The events and fields in the log lines of a call. */
export interface LoggedCall {
  /** Several for a batch. */
  events: AppointmentEvent[];
  fields: Record<string, unknown>;
}

interface ReportOptions {
  messageFlow: MessageFlow;
  /** Removed from every text that is logged. */
  apiKey: string | undefined;
  /** Called for each line about a failed call. */
  onFailed: (level: 'warn' | 'error', reason: string, fields: Record<string, unknown>) => void;
}

/** Logs how each call ended. Operators search for the messages; details are in the fields. The key is never logged. */
export function createReport({ messageFlow, apiKey, onFailed }: ReportOptions) {
  let notTriedAt = -Infinity;
  let notTried = 0;

  /** A reply may contain the request's headers. */
  const redact = (text: string): string => (apiKey === undefined ? text : text.replaceAll(apiKey, '[key]'));

  function failed(level: 'warn' | 'error', reason: string, fields: Record<string, unknown>): void {
    messageFlow.log(level, FAILED, { reason, ...fields });
    onFailed(level, reason, fields);
  }

  function failedUntried(fields: Record<string, unknown>): void {
    notTried += 1;
    if (performance.now() - notTriedAt < NOT_TRIED_INTERVAL_MS) return;
    failed('error', 'circuit open: the backend did not reply recently', { ...fields, notTried });
    notTriedAt = performance.now();
    notTried = 0;
  }

  /** Logs the result of a delivery. Returns true if the emission was accepted. */
  function delivered(
    { events, fields }: LoggedCall,
    { result, via, attempts }: Delivery,
    tookMs: number,
  ): boolean {
    const all = { ...fields, via, attempts, tookMs: Math.round(tookMs) };
    switch (result.outcome) {
      case 'accepted':
        for (const event of events) {
          const message = `Successfully emitted ${event} socket event`;
          messageFlow.log('info', message, { ...all, ...idsOf(result.answer) });
        }
        return true;
      case 'refused':
      case 'postponed':
      case 'unavailable':
        failed('error', 'HTTP error', { ...all, ...detailsOf(result.answer, redact) });
        return false;
      case 'unanswered':
        failed('error', result.timedOut ? 'timeout' : 'network error', {
          ...all,
          ...errorOf(result, redact),
        });
        return false;
      case 'not-tried':
        failedUntried(all);
        return false;
      default:
        return result satisfies never;
    }
  }

  return { failed, delivered };
}

/**
 * Prints each failure reason once. Used if the application gave no logger: its developer may not have seen the log file yet.
 */
export function createConsoleNotice(logDir: string): ReportOptions['onFailed'] {
  const printed = new Set<string>();
  return (level, reason, { status, error }) => {
    if (printed.has(reason) || printed.size >= MAX_NOTICES) return;
    printed.add(reason);
    const detail = [status, error].find((value) => typeof value === 'number' || typeof value === 'string');
    const why = detail === undefined ? reason : `${reason} (${detail})`;
    console[level](`${FAILED}: ${why}. Details are in message-flow.log, in the folder ${logDir}.`);
  };
}

function idsOf({ body }: Answer): Record<string, unknown> {
  return typeof body === 'object' && body !== null && 'emissionId' in body
    ? { emissionId: body.emissionId }
    : {};
}

function detailsOf(
  { status, text, body }: Answer,
  redact: (text: string) => string,
): Record<string, unknown> {
  const rejected = rejectedItems(body)
    .slice(0, MAX_LOGGED_ITEMS)
    .map(({ index, status: itemStatus, code }) => ({
      index,
      status: itemStatus,
      code: typeof code === 'string' ? redact(code) : undefined,
    }));
  return { status, body: cut(redact(text), MAX_LOGGED), ...(rejected.length > 0 ? { rejected } : {}) };
}

function errorOf(
  { error }: Extract<AttemptResult, { outcome: 'unanswered' }>,
  redact: (text: string) => string,
): Record<string, unknown> {
  // Unlike instanceof, isNativeError recognizes errors of another vm context, such as that of a test in jest.
  if (!isNativeError(error)) return { error: redact(String(error)) };
  const code = 'code' in error ? String(error.code) : undefined;
  // A refused connection to a name with two addresses is an AggregateError without a message.
  return { error: redact(error.message || (code ?? error.name)), code, stack: redact(error.stack ?? '') };
}
