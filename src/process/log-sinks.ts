import { basename, dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { createFileAppender, type FileRotation } from '@appointment-emissions/bot/append-file';
import { escapeMarks } from '@appointment-emissions/contracts';

/** A destination of log lines. It never blocks and never throws: lines that it cannot write in time are dropped. */
export interface LogSink {
  name: string;
  /** @param count  number of lines */
  write: (lines: Buffer, count: number) => void;
  /** Number of lines dropped since the last call. */
  takeDropped: () => number;
  /** Whether the last write failed. */
  isFailing: () => boolean;
  /** Resolves when all lines are written or dropped. */
  close: () => Promise<void>;
}

/** Lines wait in memory while a file or pipe blocks. Further lines are dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Lines of this period are written at once, since each write wakes a thread or the reader. A SIGKILL loses them. */
const GATHER_MS = 25;
/** After a failed write, how long before the file is opened again. */
const REOPEN_DELAY_MS = 1_000;

/** Gathers lines, encodes them once, and passes them to all sinks. */
export function gatherLines(sinks: readonly LogSink[]) {
  let [lines, count, scheduled] = ['', 0, false];

  function pass(): void {
    scheduled = false;
    if (count === 0) return;
    const bytes = Buffer.from(lines);
    for (const sink of sinks) sink.write(bytes, count);
    lines = '';
    count = 0;
  }

  return {
    write(line: string): void {
      lines += escapeMarks(line);
      count += 1;
      if (scheduled) return;
      scheduled = true;
      setTimeout(pass, GATHER_MS);
    },
    /** Passes the gathered lines on without waiting. */
    pass,
  };
}

/**
 * Appends to a file, and creates its folder. While the file cannot be written, lines are dropped and standard error has one
 * line with the reason. pino's own destination is not used: on a full disk it repeats its last write without end while the
 * process ends, so SIGTERM has no effect.
 */
export function createFileSink(path: string, rotation?: FileRotation): LogSink {
  let waiting: Buffer[] = [];
  let [waitingBytes, waitingLines] = [0, 0];
  const dropped = countDropped();
  let writing: Promise<void> | undefined;
  let isFailing = false;
  const appender = createFileAppender({
    file: path,
    rotation,
    reopenDelayMs: REOPEN_DELAY_MS,
    onFailure: (error) => {
      // Unlike process.stderr.write, console.error never fails, even where standard error is closed.
      console.error(
        `Lines of ${basename(path)} are lost (${error.message}); the service goes on. ` +
          `Make ${dirname(path)} writable, free space on its disk, set LOG_DIR to another folder, or LOG_FILES to 0.`,
      );
    },
  });

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const bytes = Buffer.concat(waiting);
      const lines = waitingLines;
      waiting = [];
      waitingBytes = waitingLines = 0;
      isFailing = !(await appender.append(bytes));
      if (isFailing) dropped.add(lines);
    }
    writing = undefined;
  }

  return {
    name: basename(path),
    write(lines, count) {
      if (isTooMuch(waitingBytes, lines)) {
        dropped.add(count);
        return;
      }
      waiting.push(lines);
      waitingBytes += lines.length;
      waitingLines += count;
      writing ??= writeAll();
    },
    takeDropped: dropped.take,
    isFailing: () => isFailing,
    async close() {
      await writing;
      await appender.close();
    },
  };
}

/**
 * Writes to standard output through Node's own stream. If nothing reads the pipe, the stream waits without a thread; a write
 * by descriptor would block a thread, and with it the end of the process.
 */
export function createStdoutSink(stdout: Writable): LogSink {
  // If the reader has gone, lines are lost and the service continues.
  stdout.on('error', () => undefined);
  const dropped = countDropped();
  return {
    name: 'stdout',
    write(lines, count) {
      if (isTooMuch(stdout.writableLength, lines)) dropped.add(count);
      else stdout.write(lines);
    },
    takeDropped: dropped.take,
    isFailing: () => false,
    close: () =>
      new Promise((resolve) => {
        stdout.write('', () => {
          resolve();
        });
      }),
  };
}

function countDropped() {
  let dropped = 0;
  return {
    add: (count: number): void => {
      dropped += count;
    },
    /** Returns the count and resets it. */
    take: (): number => {
      const taken = dropped;
      dropped = 0;
      return taken;
    },
  };
}

/** A single batch is never too large. */
function isTooMuch(waitingBytes: number, more: Buffer): boolean {
  return waitingBytes > 0 && waitingBytes + more.length > MAX_WAITING_BYTES;
}
