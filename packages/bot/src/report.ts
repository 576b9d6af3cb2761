import { isNativeError } from 'node:util/types';
import type { AppointmentEvent } from '@appointment-emissions/contracts';
import type { Delivery } from './deliver.ts';
import type { MessageFlowLogger } from './message-flow.ts';
import { rejectedItems, type Answer, type AttemptResult } from './attempt-result.ts';

/** While nothing is tried, one line in this time stands for all. */
const NOT_TRIED_EVERY_MS = 10_000;
const FAILED = 'Failed to emit socket event';

export interface Subject {
  /** Several where it is a batch. */
  events: AppointmentEvent[];
  fields: Record<string, unknown>;
}

/** Writes each call's fate: to the letter what operators search for, the details as fields, never the key. */
export function createReport(logger: MessageFlowLogger, apiKey: string | undefined) {
  let notTriedAt = -Infinity;
  let notTried = 0;

  /** An answer may echo what was sent. */
  const redact = (text: string): string => (apiKey === undefined ? text : text.replaceAll(apiKey, '[key]'));

  function failed(level: 'warn' | 'error', reason: string, fields: Record<string, unknown>): void {
    logger.messageFlow(level, FAILED, { reason, ...fields });
  }

  function skipped(fields: Record<string, unknown>): void {
    notTried += 1;
    if (performance.now() - notTriedAt < NOT_TRIED_EVERY_MS) return;
    failed('error', 'circuit open: the backend did not answer lately', { ...fields, notTried });
    notTriedAt = performance.now();
    notTried = 0;
  }

  function outcome(
    { events, fields }: Subject,
    { verdict, via, attempts }: Delivery,
    tookMs: number,
  ): boolean {
    const all = { ...fields, via, attempts, tookMs: Math.round(tookMs) };
    switch (verdict.outcome) {
      case 'accepted':
        for (const event of events) {
          logger.messageFlow('info', `Successfully emitted ${event} socket event`, {
            ...all,
            ...ids(verdict.answer),
          });
        }
        return true;
      case 'refused':
      case 'postponed':
      case 'unavailable':
        failed('error', 'HTTP error', { ...all, ...details(verdict.answer, redact) });
        return false;
      case 'unanswered':
        failed('error', verdict.timedOut ? 'timeout' : 'network error', {
          ...all,
          ...stack(verdict, redact),
        });
        return false;
      case 'not-tried':
        skipped(all);
        return false;
      default:
        return verdict satisfies never;
    }
  }

  return { failed, outcome };
}

function ids({ body }: Answer): Record<string, unknown> {
  return typeof body === 'object' && body !== null && 'emissionId' in body
    ? { emissionId: body.emissionId }
    : {};
}

function details({ status, text, body }: Answer, redact: (text: string) => string): Record<string, unknown> {
  const rejected = rejectedItems(body)
    .slice(0, 20)
    .map(({ index, status: itemStatus, code }) => ({
      index,
      status: itemStatus,
      code: redact(String(code)),
    }));
  return { status, body: redact(text), ...(rejected.length > 0 ? { rejected } : {}) };
}

function stack(
  { error }: Extract<AttemptResult, { outcome: 'unanswered' }>,
  redact: (text: string) => string,
): Record<string, unknown> {
  // Unlike instanceof this knows Node's own errors in a vm context too, such as a bot's tests in jest.
  if (!isNativeError(error)) return { error: redact(String(error)) };
  const code = 'code' in error ? String(error.code) : undefined;
  // A refused connection to a name with two addresses is an AggregateError without a message.
  return { error: redact(error.message || (code ?? error.name)), code, stack: redact(error.stack ?? '') };
}
