import { close, openSync, write } from 'node:fs';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';

/** Takes lines, for ever, at once, and without an error: what it can't pass on in time it drops. */
export interface LogSink {
  name: string;
  write: (line: string) => void;
  /** Lines dropped since this was asked last. */
  takeDropped: () => number;
  /** Resolves when all that it holds has been passed on or dropped. */
  close: () => Promise<void>;
}

/** Lines wait in memory while a file or pipe takes none; beyond this they are dropped. */
const MOST_WAITING_CHARACTERS = 4 * 1024 * 1024;
/** What is written meanwhile goes together: each write wakes a thread, or whoever reads. So much a SIGKILL may lose. */
const GATHER_MS = 25;

const writeTo = promisify(write);
const closeFile = promisify(close);

/**
 * Appends to a file. Not pino's own destination: on a full disk that tries for ever to write its rest while the
 * process ends, so that SIGTERM has no effect. @throws when the file can't be opened
 */
export function createFileSink(path: string): LogSink {
  const fd = openSync(path, 'a');
  let waiting = '';
  let writing: Promise<void> | undefined;
  let writeNow = (): void => undefined;
  let torn = false;
  let [waitingLines, dropped] = [0, 0];

  async function writeAll(): Promise<void> {
    while (waiting !== '') {
      const bytes = Buffer.from(torn ? `\n${waiting}` : waiting);
      const lines = waitingLines;
      waiting = '';
      waitingLines = 0;
      torn = false;
      try {
        for (let from = 0; from < bytes.length;) from += (await writeTo(fd, bytes, from)).bytesWritten;
      } catch {
        torn = true;
        dropped += lines;
      }
    }
  }
  async function soon(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS);
      writeNow = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    await writeAll();
    writing = undefined;
  }

  return {
    name: 'combined.log',
    write(line) {
      if (waiting.length + line.length > MOST_WAITING_CHARACTERS) {
        dropped += 1;
        return;
      }
      waiting += line;
      waitingLines += 1;
      writing ??= soon();
    },
    takeDropped() {
      const taken = dropped;
      dropped = 0;
      return taken;
    },
    async close() {
      writeNow();
      await writing;
      await closeFile(fd).catch(() => undefined);
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
  let waiting = '';
  let scheduled = false;
  let dropped = 0;

  function pass(): void {
    scheduled = false;
    const lines = waiting;
    waiting = '';
    stdout.write(lines);
  }

  return {
    name: 'stdout',
    write(line) {
      if (stdout.writableLength + waiting.length + line.length > MOST_WAITING_CHARACTERS) {
        dropped += 1;
        return;
      }
      waiting += line;
      if (scheduled) return;
      scheduled = true;
      setTimeout(pass, GATHER_MS);
    },
    takeDropped() {
      const taken = dropped;
      dropped = 0;
      return taken;
    },
    close: () =>
      new Promise((resolve) => {
        stdout.write(waiting, () => {
          resolve();
        });
        waiting = '';
      }),
  };
}
