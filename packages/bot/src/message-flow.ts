export type MessageFlowLevel = 'info' | 'warn' | 'error';

/** Where the bot's library and tool handlers write what became of each message. Bring your own, or use the file. */
export interface MessageFlowLogger {
  messageFlow(level: MessageFlowLevel, message: string, fields?: Record<string, unknown>): void;
  /** Writes out what is still buffered, and lets go of the file. */
  close?(): Promise<void>;
}

/** The same logger, except that nothing it throws or rejects with reaches the caller. */
export function harmless(logger: MessageFlowLogger): MessageFlowLogger {
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
      try {
        await logger.close?.();
      } catch {
        // As above.
      }
    },
  };
}
