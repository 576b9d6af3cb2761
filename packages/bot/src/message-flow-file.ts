import path from 'node:path';
import { escapeMarks } from '@appointment-emissions/contracts';
import { startDeadline, untilAborted } from './deadline.ts';
import { createFileAppender } from './append-file.ts';
import type { MessageFlowLevel } from './message-flow.ts';

const MESSAGE_FLOW_FILE = 'message-flow.log';
const ROTATION = { maxBytes: 100_000_000, maxFiles: 5 };

interface FileLoggerOptions {
  /** Folder of the file. Default `logs`. */
  logDir?: string;
  /** Maximum amount of unwritten lines. Further lines are dropped, so that a hung disk does not fill the memory. */
  maxBufferedBytes?: number;
  /** How long after a failed write the file is opened again. */
  reopenDelayMs?: number;
  /** Maximum duration of `close`. */
  closeWithinMs?: number;
}

/** Writes the message-flow log of a bot to a file. */
export interface FileLogger {
  messageFlow(level: MessageFlowLevel, message: string, fields?: Record<string, unknown>): void;
  /** Writes the buffered lines and closes the file. A later line opens it again. */
  close(): Promise<void>;
}

/**
 * Appends JSON lines to `<logDir>/message-flow.log`. The first line creates the folder and the file. A file of 100 MB is
 * renamed; four renamed ones are kept.
 *
 * It never throws and never waits for the disk. While the disk is full, missing or hung, lines are lost: the reason is printed
 * to standard error once, and the next written line has the number of lost lines as `linesLost`.
 */
export function createFileLogger({
  logDir = 'logs',
  maxBufferedBytes = 1_000_000,
  reopenDelayMs = 5_000,
  closeWithinMs = 1_000,
}: FileLoggerOptions = {}): FileLogger {
  const file = path.join(logDir, MESSAGE_FLOW_FILE);
  const appender = createFileAppender({ file, rotation: ROTATION, reopenDelayMs, onFailure: warn });
  let waiting: string[] = [];
  let waitingBytes = 0;
  let linesLost = 0;
  let writing: Promise<void> | undefined;

  function warn(error: Error): void {
    // Unlike process.stderr.write, console.error never fails, even if standard error is closed.
    console.error(
      `${MESSAGE_FLOW_FILE} cannot be written (${error.message}). Its lines are lost; emissions continue. ` +
        'Make the folder writable, free disk space, or set LOG_DIR (option logDir) to another folder.',
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
