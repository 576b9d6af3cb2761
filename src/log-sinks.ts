import { close, openSync, write } from 'node:fs';
import { promisify } from 'node:util';

/** Takes lines, for ever, at once, and without an error: what it can't pass on in time it drops. */
export interface LogSink {
  write: (line: string) => void;
  /** Resolves when all that it holds has been passed on or dropped. */
  close: () => Promise<void>;
}

/** Lines wait in memory while a file or pipe takes none; beyond this they are dropped. */
const MOST_WAITING_CHARACTERS = 4 * 1024 * 1024;

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
  let torn = false;

  async function writeAll(): Promise<void> {
    while (waiting !== '') {
      const bytes = Buffer.from(torn ? `\n${waiting}` : waiting);
      waiting = '';
      torn = false;
      try {
        for (let from = 0; from < bytes.length;) from += (await writeTo(fd, bytes, from)).bytesWritten;
      } catch {
        torn = true;
      }
    }
  }
  /** What is written within one turn of the event loop goes together. */
  async function soon(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await writeAll();
    writing = undefined;
  }

  return {
    write(line) {
      if (waiting.length + line.length > MOST_WAITING_CHARACTERS) return;
      waiting += line;
      writing ??= soon();
    },
    async close() {
      await writing;
      await closeFile(fd).catch(() => undefined);
    },
  };
}

/**
 * Writes to standard output through the stream that Node itself opens for it: to a pipe that nobody reads it waits
 * without a thread, where a write by descriptor would block one, and with it the end of the process.
 */
export function createStdoutSink(stdout: NodeJS.WriteStream): LogSink {
  // A reader that is gone: its lines are lost, the service goes on.
  stdout.on('error', () => undefined);
  let waiting = '';
  let scheduled = false;

  function pass(): void {
    scheduled = false;
    const lines = waiting;
    waiting = '';
    stdout.write(lines);
  }

  return {
    write(line) {
      if (stdout.writableLength + waiting.length + line.length > MOST_WAITING_CHARACTERS) return;
      waiting += line;
      if (scheduled) return;
      scheduled = true;
      setImmediate(pass);
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
