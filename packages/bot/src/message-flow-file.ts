import path from 'node:path';
import { escapeMarks } from '@appointment-emissions/contracts';
import { startDeadline, untilAborted } from './deadline.ts';
import { createFileAppender } from './append-file.ts';
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
 * never waits for the disk: while the disk is full, gone or hung, lines are lost. Standard error says so once, with the
 * reason, and the next line that is written carries their number as `linesLost`.
 */
export function createFileLogger({
  logDir = 'logs',
  maxBufferedBytes = 1_000_000,
  reopenDelayMs = 5_000,
  closeWithinMs = 1_000,
}: FileLoggerOptions = {}): MessageFlowLogger {
  const file = path.join(logDir, MESSAGE_FLOW_FILE);
  const appender = createFileAppender({ file, reopenDelayMs, onFailure: warn });
  let waiting: string[] = [];
  let waitingBytes = 0;
  let linesLost = 0;
  let writing: Promise<void> | undefined;

  function warn(error: Error): void {
    // Unlike process.stderr.write, console.error never fails, even where standard error is closed.
    console.error(
      `Lines of ${MESSAGE_FLOW_FILE} are lost (${error.message}); emissions go on. Make the folder writable, free space ` +
        'on its disk, or set LOG_DIR (option logDir) to another folder.',
    );
  }

  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting;
      const lost = linesLost;
      waiting = [];
      waitingBytes = 0;
      if (lost > 0) lines[0] = `${lines[0]?.slice(0, -1) ?? ''},"linesLost":${lost}}`;
      if (await appender.append(Buffer.from(`${lines.join('\n')}\n`))) linesLost -= lost;
      else linesLost += lines.length;
    }
    writing = undefined;
  }

  return {
    messageFlow(level, message, fields = {}) {
      try {
        const line = escapeMarks(
          JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }),
        );
        if (waitingBytes > maxBufferedBytes) {
          linesLost += 1;
          return;
        }
        waiting.push(line);
        waitingBytes += line.length;
        writing ??= writeWaiting();
      } catch {
        linesLost += 1;
      }
    },
    async close() {
      const deadline = startDeadline(closeWithinMs);
      await untilAborted((writing ?? Promise.resolve()).then(appender.close), deadline.signal);
      deadline.end();
    },
  };
}
