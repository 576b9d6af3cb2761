import { close, constants, fstat, mkdir, open, stat, write } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const closeFile = promisify(close);
const mkdirOnce = promisify(mkdir);
const openFile = promisify(open);
const statFile = promisify(fstat);
const statPath = promisify(stat);
const writeFile = promisify(write);

/** With O_NONBLOCK, opening a FIFO without a reader is an error. Without it, opening would block a thread forever. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

export interface FileAppender {
  /** Resolves to true if all bytes were written; never rejects. One call at a time. */
  append: (bytes: Buffer) => Promise<boolean>;
  close: () => Promise<void>;
}

interface FileAppenderOptions {
  file: string;
  /** Delay after a failure before the file is opened again. */
  reopenDelayMs: number;
  /** Called for the first failure after a success. */
  onFailure: (error: Error) => void;
}

/**
 * Appends to a file, and creates its folder. The server's log file uses it too. It opens the file again after a failure, and if the
 * file or its folder was deleted or replaced.
 */
export function createFileAppender({ file, reopenDelayMs, onFailure }: FileAppenderOptions): FileAppender {
  let fd: number | undefined;
  let reopenAt = 0;
  let [isFailing, isTorn] = [false, false];

  async function closeOpenFile(): Promise<void> {
    const closing = fd;
    fd = undefined;
    if (closing !== undefined) await closeFile(closing).catch(() => undefined);
  }

  async function writeAll(bytes: Buffer): Promise<void> {
    if (fd !== undefined && !(await isStillAt(fd, file))) await closeOpenFile();
    fd ??= await openWithFolder(file);
    // The last write may have ended in the middle of a line.
    if (isTorn) await writeFile(fd, '\n');
    isTorn = false;
    for (let from = 0; from < bytes.length;) {
      from += (await writeFile(fd, bytes, from)).bytesWritten;
      isTorn = from < bytes.length;
    }
  }

  return {
    async append(bytes) {
      if (performance.now() < reopenAt) return false;
      try {
        await writeAll(bytes);
        isFailing = false;
        return true;
      } catch (error) {
        await closeOpenFile();
        reopenAt = performance.now() + reopenDelayMs;
        if (!isFailing) onFailure(error as Error);
        isFailing = true;
        return false;
      }
    },
    close: closeOpenFile,
  };
}

/** False if the path now names another file, or no file. */
async function isStillAt(fd: number, file: string): Promise<boolean> {
  const [opened, found] = await Promise.all([statFile(fd), statPath(file).catch(() => undefined)]);
  return opened.ino === found?.ino && opened.dev === found.dev;
}

async function openWithFolder(file: string): Promise<number> {
  try {
    return await openFile(file, FLAGS);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await createFolder(path.dirname(file));
    return openFile(file, FLAGS);
  }
}

/** Does not use `recursive: true`, because Node then never returns for a path below /proc. */
async function createFolder(folder: string): Promise<void> {
  try {
    await mkdirOnce(folder);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    const parent = path.dirname(folder);
    if (codeOf(error) !== 'ENOENT' || parent === folder) throw error;
    await createFolder(parent);
    await mkdirOnce(folder).catch((again: unknown) => {
      if (codeOf(again) !== 'EEXIST') throw again;
    });
  }
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code;
}
