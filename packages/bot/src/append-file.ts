import { randomUUID } from 'node:crypto';
import {
  close,
  constants,
  fstat,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  type Stats,
  unlink,
  write,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const closeFile = promisify(close);
const mkdirOnce = promisify(mkdir);
const openFile = promisify(open);
const readFolder = promisify(readdir);
const renameFile = promisify(rename);
const statFile = promisify(fstat);
const statPath = promisify(stat);
const unlinkFile = promisify(unlink);
const writeFile = promisify(write);

/** How long a file that could not be rotated grows before the next try. */
const RETRY_ROTATION_MS = 30_000;

/** With O_NONBLOCK, opening a FIFO without a reader is an error. Without it, opening would block a thread forever. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

export interface FileAppender {
  /** Resolves to true if all bytes were written; never rejects. One call at a time. */
  append: (bytes: Buffer) => Promise<boolean>;
  close: () => Promise<void>;
}

/** Sizes of a log. It takes at most `maxBytes * maxFiles` of disk, and one write more. */
export interface FileRotation {
  /** A file of this size is renamed to `<file>.<time>-<random>` before the next write. */
  maxBytes: number;
  /** Number of files that are kept, with the current one: at least 2. The oldest are deleted. */
  maxFiles: number;
}

interface FileAppenderOptions {
  file: string;
  /** Without it the file grows without limit. */
  rotation?: FileRotation | undefined;
  /** Delay after a failure before the file is opened again. */
  reopenDelayMs: number;
  /** Called for the first failure after a success. */
  onFailure: (error: Error) => void;
}

/**
 * Appends to a file, and creates its folder. The server's log file uses it too. Unlike pino-roll, it gives up a failed write, so that a
 * full disk does not delay the end of the process. It opens the file again after a failure, and if the
 * file or its folder was deleted or replaced. So several processes can append to one file, whichever of them rotates it.
 */
export function createFileAppender({
  file,
  rotation,
  reopenDelayMs,
  onFailure,
}: FileAppenderOptions): FileAppender {
  const rotate = createRotate(file, rotation);
  let current: OpenFile | undefined;
  let reopenAt = 0;
  let [isFailing, isTorn] = [false, false];

  async function closeOpenFile(): Promise<void> {
    const closing = current;
    current = undefined;
    if (closing !== undefined) await closeFile(closing.fd).catch(() => undefined);
  }

  async function writeAll(bytes: Buffer): Promise<void> {
    if (current !== undefined) {
      const found = await findAt(file);
      if (!isSame(current.opened, found) || (await rotate(found))) await closeOpenFile();
    }
    current ??= await openWithFolder(file);
    const { fd } = current;
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

/** The file that the path names now. */
const findAt = (file: string): Promise<Stats | undefined> => statPath(file).catch(() => undefined);

/** @param found  undefined if the path names no file any more */
function isSame(opened: Stats, found: Stats | undefined): found is Stats {
  return opened.ino === found?.ino && opened.dev === found.dev;
}

/**
 * Returns a function that renames the open file if it is full, and deletes the oldest of the renamed files. It resolves to
 * true if the file was renamed, by this process or another one. A file that cannot be renamed grows, since its lines are worth
 * more than its size; standard error has the reason once.
 */
function createRotate(file: string, rotation: FileRotation | undefined): (opened: Stats) => Promise<boolean> {
  let retryAt = 0;
  let isFailing = false;

  function report(error: unknown): void {
    retryAt = performance.now() + RETRY_ROTATION_MS;
    if (!isFailing)
      console.error(
        `${path.basename(file)} cannot be rotated (${(error as Error).message}) and grows further.`,
      );
    isFailing = true;
  }

  return async (opened) => {
    if (rotation === undefined || !opened.isFile() || opened.size < rotation.maxBytes) return false;
    if (performance.now() < retryAt) return false;
    let isRenamed = false;
    try {
      await locked(`${file}.rotating`, async () => {
        // Another process may have renamed the full file. The path then names its new file.
        if (isSame(opened, await findAt(file))) await renameFile(file, rotatedName(file));
        isRenamed = true;
        await deleteOldest(file, rotation.maxFiles - 1);
        isFailing = false;
      });
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return true;
      report(error);
    }
    return isRenamed;
  };
}

/**
 * Calls `work` while no other process does. If another process does, it returns without a call: its caller tries again later.
 * @param lock  a file that exists during the work. If a killed process has left it, it is deleted after 30 s
 */
async function locked(lock: string, work: () => Promise<void>): Promise<void> {
  try {
    await closeFile(await openFile(lock, 'wx'));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const found = await statPath(lock).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > RETRY_ROTATION_MS) await unlinkIfThere(lock);
    return;
  }
  try {
    await work();
  } finally {
    await unlinkIfThere(lock);
  }
}

/** Names sort by time. The random part keeps apart the files of two processes that rotate in the same millisecond. */
function rotatedName(file: string): string {
  const time = new Date().toISOString().replaceAll(/[-:.]/g, '');
  return `${file}.${time}-${randomUUID().slice(0, 8)}`;
}

const ROTATED = /^\.\d{8}T\d{9}Z-[\da-f]{8}$/;

/** @param kept  number of rotated files that are kept */
async function deleteOldest(file: string, kept: number): Promise<void> {
  const [folder, base] = [path.dirname(file), path.basename(file)];
  const names = await readFolder(folder);
  const rotated = names.filter((name) => name.startsWith(base) && ROTATED.test(name.slice(base.length)));
  for (const name of rotated.sort().slice(0, Math.max(rotated.length - kept, 0))) {
    await unlinkIfThere(path.join(folder, name));
  }
}

async function unlinkIfThere(file: string): Promise<void> {
  await unlinkFile(file).catch((error: unknown) => {
    // Another process has deleted it.
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}

/** `opened`: names the file, also after it was moved or deleted. */
interface OpenFile {
  fd: number;
  opened: Stats;
}

async function openWithFolder(file: string): Promise<OpenFile> {
  const fd = await openFile(file, FLAGS).catch(async (error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    await createFolder(path.dirname(file));
    return openFile(file, FLAGS);
  });
  try {
    return { fd, opened: await statFile(fd) };
  } catch (error) {
    await closeFile(fd).catch(() => undefined);
    throw error;
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
