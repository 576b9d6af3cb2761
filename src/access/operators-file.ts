import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { OperatorRole } from '@appointment-emissions/contracts';
import { parsePasswordHash, type PasswordHash } from './password-hash.ts';

/** One line of the operators file. */
export interface OperatorEntry {
  name: string;
  role: OperatorRole;
  hash: PasswordHash;
}

/** The operators by name; at least one. */
export type OperatorEntries = ReadonlyMap<string, OperatorEntry>;

const MAX_BYTES = 1_000_000;
/** A name can be an e-mail address. HTTP Basic ends it at a colon. */
const NAME = /^[\p{L}\p{M}\p{N}._@+-]{1,64}$/u;
const ROLES: readonly string[] = ['view', 'repair'] satisfies OperatorRole[];
const MAX_PROBLEMS = 5;
/** Without it, opening a FIFO would wait for its writer. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Parses lines of name, role and password hash, separated by spaces. Empty lines and lines that begin with `#` are skipped.
 * @throws RangeError with the problems, by line. It contains nothing of the file: a line may have a password in clear.
 * @example 'ann repair $scrypt$ln=15,r=8,p=3$…$…'
 */
export function parseOperators(text: string): OperatorEntries {
  const entries = new Map<string, OperatorEntry>();
  const problems: string[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    try {
      const entry = parseLine(content);
      if (entries.has(entry.name)) throw new RangeError('the name occurs twice');
      entries.set(entry.name, entry);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(`line ${index + 1}: ${error.message}`);
    }
  }
  const [shown, more] = [problems.slice(0, MAX_PROBLEMS), problems.length - MAX_PROBLEMS];
  if (problems.length > 0) throw new RangeError([...shown, ...(more > 0 ? [`${more} more`] : [])].join('; '));
  if (entries.size === 0) throw new RangeError('it has no operator');
  return entries;
}

/** @throws RangeError */
function parseLine(line: string): OperatorEntry {
  const [name = '', role = '', password = '', ...more] = line.split(/[ \t]+/);
  if (!NAME.test(name))
    throw new RangeError('the name must be up to 64 letters, digits and . _ @ + - without spaces');
  if (!ROLES.includes(role)) throw new RangeError('the role must be view or repair');
  const hash = parsePasswordHash(password);
  if (more.length > 0) throw new RangeError('a line must have a name, a role and a password hash only');
  return { name: name.normalize('NFC'), role: role as OperatorRole, hash };
}

/** Reads the file now, at start. @throws RangeError with the problems */
export function readOperatorsNow(path: string): { text: string; entries: OperatorEntries } {
  try {
    const file = openSync(path, FLAGS);
    try {
      checkFile(fstatSync(file));
      const text = decode(readFileSync(file));
      return { text, entries: parseOperators(text) };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw toRangeError(error);
  }
}

/** Reads the text of the file. @throws RangeError with the reason */
export async function readOperatorsText(path: string): Promise<string> {
  try {
    const file = await open(path, FLAGS);
    try {
      checkFile(await file.stat());
      return decode(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    throw toRangeError(error);
  }
}

function checkFile(stats: Stats): void {
  if (!stats.isFile()) throw new RangeError('it is not a file');
  if (stats.size > MAX_BYTES) throw new RangeError('it is larger than 1 MB');
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError('it is not UTF-8 text');
  }
}

/** Node's errors contain the path, which `/health` must not show. */
function toRangeError(error: unknown): RangeError {
  if (error instanceof RangeError) return error;
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  return new RangeError(`it cannot be read (${code})`, { cause: error });
}
