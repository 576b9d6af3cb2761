import { isNativeError } from 'node:util/types';
import { startDeadline, untilAborted } from './deadline.ts';

export type MessageFlowLevel = 'info' | 'warn' | 'error';

/** A logger with one method for each level. */
export interface MessageFlowMethods {
  info(message: string, fields?: Record<string, unknown>): unknown;
  error(message: string, fields?: Record<string, unknown>): unknown;
  /** Preferred to `warn`. One of the two is required. */
  warning?(message: string, fields?: Record<string, unknown>): unknown;
  warn?(message: string, fields?: Record<string, unknown>): unknown;
}

export type MessageFlowFunction = (
  level: MessageFlowLevel,
  message: string,
  fields?: Record<string, unknown>,
) => unknown;

/**
 * A logger of the application. The library calls its methods as methods, so they may use `this`.
 *
 * @example
 * ```ts
 * createRealtimeAppointments({ logger: logger.messageFlow }); // an object with info, warning (or warn) and error
 * createRealtimeAppointments({ logger: (level, message, fields) => console.log(level, message, fields) });
 * createRealtimeAppointments({ logger }); // an object with one of the above as `messageFlow`, and optionally `close`
 * ```
 */
export type MessageFlowLogger =
  | MessageFlowFunction
  | MessageFlowMethods
  | {
      messageFlow: MessageFlowFunction | MessageFlowMethods;
      /** Writes buffered lines and closes the log. `close` of `RealtimeAppointments` calls it. */
      close?(): Promise<void>;
    };

/** The logger of the application behind an interface that never throws and never blocks. */
export interface MessageFlow {
  log(level: MessageFlowLevel, message: string, fields?: Record<string, unknown>): void;
  close(): Promise<void>;
}

const MAX_CLOSE_MS = 1_000;

/**
 * Wraps a logger of any form. If it throws, rejects or lacks a method, the first lost line and the reason are printed to
 * standard error.
 */
export function createMessageFlow(given: MessageFlowLogger): MessageFlow {
  // An application written in JavaScript may pass anything.
  const logger = given as AnyLogger;
  let isReported = false;

  function reportLoss(error: unknown, message: string, fields: Record<string, unknown>): void {
    if (isReported) return;
    isReported = true;
    const reason = typeof fields.reason === 'string' ? ` (${fields.reason})` : '';
    console.error(
      `The logger failed: ${isNativeError(error) ? error.message : 'it threw a value that is not an error'}. ` +
        `Log lines of emissions are lost; emissions continue. The first lost line: ${message}${reason}`,
    );
  }

  return {
    log(level, message, fields = {}) {
      try {
        Promise.resolve(writeTo(logger, level, message, fields)).catch((error: unknown) => {
          reportLoss(error, message, fields);
        });
      } catch (error) {
        reportLoss(error, message, fields);
      }
    },
    async close() {
      const deadline = startDeadline(MAX_CLOSE_MS);
      try {
        // A logger that is not of the form {messageFlow, close} belongs to the application, which may use it for other logs.
        if (typeof logger === 'function' || logger.messageFlow === undefined) return;
        await untilAborted(Promise.resolve(logger.close?.()), deadline.signal);
      } catch {
        // The application must be able to end even if its logger cannot close.
      } finally {
        deadline.end();
      }
    },
  };
}

type AnyFunction = (...args: unknown[]) => unknown;
type AnyMethods = Partial<Record<'info' | 'warning' | 'warn' | 'error', AnyFunction>>;
type AnyLogger =
  AnyFunction | (AnyMethods & { messageFlow?: AnyFunction | AnyMethods; close?: () => Promise<void> });

function writeTo(
  logger: AnyLogger,
  level: MessageFlowLevel,
  message: string,
  fields: Record<string, unknown>,
): unknown {
  if (typeof logger === 'function') return logger(level, message, fields);
  if (typeof logger.messageFlow === 'function') return logger.messageFlow(level, message, fields);
  const methods = logger.messageFlow ?? logger;
  const method = level === 'warn' && typeof methods.warning === 'function' ? 'warning' : level;
  if (typeof methods[method] !== 'function') throw new TypeError(`it has no method ${method}`);
  return methods[method](message, fields);
}
