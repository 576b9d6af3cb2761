import { basename, dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { createFileAppender } from '@appointment-emissions/bot/append-file';
import { escapeMarks } from '@appointment-emissions/contracts';

/** Takes lines, for ever, at once, and without an error: what it can't pass on in time it drops. */
export interface LogSink {
  name: string;
  /** @param count  lines in it */
  write: (lines: Buffer, count: number) => void;
  /** Lines dropped since this was asked last. */
  takeDropped: () => number;
  /** Whether the last write failed. */
  isFailing: () => boolean;
  /** Resolves when all that it holds has been passed on or dropped. */
  close: () => Promise<void>;
}

/** Lines wait in memory while a file or pipe takes none; beyond this they are dropped. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;
/** What is written meanwhile goes together: each write wakes a thread, or whoever reads. So much a SIGKILL may lose. */
const GATHER_MS = 25;
/** After a failed write, how long before the file is opened again. */
const REOPEN_DELAY_MS = 1_000;

/** Lines on their way to all sinks: gathered and encoded once for all of them. */
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
    /** Does not wait for more. */
    pass,
  };
}

/**
 * Appends to a file, and makes its folder. While the file takes no lines they are dropped; standard error says so once,
 * with the reason. Not pino's own destination: on a full disk that tries for ever to write its rest while the process
 * ends, so that SIGTERM has no effect.
 */
export function createFileSink(path: string): LogSink {
  let waiting: Buffer[] = [];
  let [waitingBytes, waitingLines] = [0, 0];
  const dropped = countDropped();
  let writing: Promise<void> | undefined;
  let isFailing = false;
  const appender = createFileAppender({
    file: path,
    reopenDelayMs: REOPEN_DELAY_MS,
    onFailure: (error) => {
      // Unlike process.stderr.write, console.error never fails, even where standard error is closed.
      console.error(
        `Lines of ${basename(path)} are lost (${error.message}); the service goes on. ` +
          `Make ${dirname(path)} writable, free space on its disk, or set LOG_DIR to another folder.`,
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
 * Writes to standard output through the stream that Node itself opens for it: to a pipe that nobody reads it waits
 * without a thread, where a write by descriptor would block one, and with it the end of the process.
 */
export function createStdoutSink(stdout: Writable): LogSink {
  // A reader that is gone: its lines are lost, the service goes on.
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
    /** Those since this was asked last. */
    take: (): number => {
      const taken = dropped;
      dropped = 0;
      return taken;
    },
  };
}

/** Where nothing waits, anything may. */
function isTooMuch(waitingBytes: number, more: Buffer): boolean {
  return waitingBytes > 0 && waitingBytes + more.length > MOST_WAITING_BYTES;
}
