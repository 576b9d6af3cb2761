import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { escapeMarks } from '@appointment-emissions/contracts';
import type { MessageFlowLogger } from './message-flow.ts';

const MESSAGE_FLOW_FILE = 'message-flow.log';

interface FileLoggerOptions {
  /** Default `logs`. */
  logDir?: string;
  /** Lines are dropped while this much waits to be written: a hung disk must not fill the memory. */
  maxBufferedBytes?: number;
  /** After a failed write, how long before the file is opened again. */
  reopenDelayMs?: number;
  closeWithinMs?: number;
}

/**
 * Appends JSON lines to `<logDir>/message-flow.log`, from the first line on; makes the directory. Never throws and
 * never waits for the disk: while the disk is full, gone or hung, lines are lost, and the next line that gets
 * through carries their number as `linesLost`.
 */
export function createFileLogger({
  logDir = 'logs',
  maxBufferedBytes = 1_000_000,
  reopenDelayMs = 5_000,
  closeWithinMs = 1_000,
}: FileLoggerOptions = {}): MessageFlowLogger {
  let stream: WriteStream | undefined;
  let reopenAt = 0;
  let linesLost = 0;

  function open(): WriteStream | undefined {
    if (performance.now() < reopenAt) return undefined;
    // Until proven otherwise this attempt failed; mkdirSync may throw.
    reopenAt = performance.now() + reopenDelayMs;
    mkdirSync(logDir, { recursive: true });
    const opened = createWriteStream(path.join(logDir, MESSAGE_FLOW_FILE), { flags: 'a' });
    opened.on('error', () => {
      linesLost += 1;
      reopenAt = performance.now() + reopenDelayMs;
      if (stream === opened) stream = undefined;
    });
    return opened;
  }

  function write(level: string, message: string, fields: Record<string, unknown>): void {
    stream ??= open();
    if (stream === undefined || stream.writableLength > maxBufferedBytes) {
      linesLost += 1;
      return;
    }
    const lost = linesLost > 0 ? { linesLost } : {};
    const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields, ...lost });
    stream.write(`${escapeMarks(line)}\n`);
    linesLost = 0;
  }

  return {
    messageFlow(level, message, fields = {}) {
      try {
        write(level, message, fields);
      } catch {
        linesLost += 1;
      }
    },
    async close() {
      const closing = stream;
      stream = undefined;
      reopenAt = 0;
      if (closing === undefined) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          closing.destroy();
          resolve();
        }, closeWithinMs);
        closing.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        closing.end();
      });
    },
  };
}
