import { startDeadline, untilAborted } from './deadline.ts';

export type MessageFlowLevel = 'info' | 'warn' | 'error';

/** Where the bot's library and tool handlers write what became of each message. Bring your own, or use the file. */
export interface MessageFlowLogger {
  messageFlow(level: MessageFlowLevel, message: string, fields?: Record<string, unknown>): void;
  /** Writes out what is still buffered, and lets go of the file. */
  close?(): Promise<void>;
}

const CLOSE_WITHIN_MS = 1_000;

/** The same logger, except that its errors do not reach the caller, and that `close` ends in time. */
export function swallowErrors(logger: MessageFlowLogger): MessageFlowLogger {
  return {
    messageFlow(level, message, fields) {
      try {
        // A logger written in JavaScript may well be async.
        const log = logger.messageFlow.bind(logger) as (...line: unknown[]) => unknown;
        Promise.resolve(log(level, message, fields)).catch(() => undefined);
      } catch {
        // A log line is worth less than a booking.
      }
    },
    async close() {
      const deadline = startDeadline(CLOSE_WITHIN_MS);
      try {
        await untilAborted(Promise.resolve(logger.close?.()), deadline.signal);
      } catch {
        // As above.
      } finally {
        deadline.end();
      }
    },
  };
}
