import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLine } from '../../test/harness/log-lines.ts';

/** From this level on a line must be expected. */
const ERROR_LEVEL = 50;
const BUG =
  /INTERNAL_ERROR|unexpected error|TypeError|ReferenceError|RangeError|SyntaxError|is not a function/;

/** Reads combined.log while processes append to it. */
export function createLogReader(dir: string) {
  const file = join(dir, 'combined.log');
  let at = 0;
  let rest = '';
  /** Messages of errors that the inputs of a surface cause by design. */
  let expected = /^$/;

  /** The lines since the last call. */
  function read(): LogLine[] {
    if (!existsSync(file)) return [];
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      // It was rotated.
      if (size < at) [at, rest] = [0, ''];
      const bytes = Buffer.alloc(size - at);
      readSync(descriptor, bytes, 0, bytes.length, at);
      at = size;
      const lines = (rest + bytes.toString()).split('\n');
      rest = lines.pop() ?? '';
      return lines.filter(Boolean).map((line) => JSON.parse(line) as LogLine);
    } finally {
      closeSync(descriptor);
    }
  }

  return {
    expect(message: RegExp): void {
      expected = message;
    },
    skip: () => void read(),
    /** New lines that report a bug, and new errors that are not expected. */
    problems: (): string[] => read().flatMap((line) => problemOf(line, expected)),
  };
}

/** The line, if it reports a bug or an error whose message is not expected. */
export function problemOf(line: Pick<LogLine, 'level' | 'msg'>, expected: RegExp): string[] {
  const text = JSON.stringify(line);
  const isProblem = BUG.test(text) || (line.level >= ERROR_LEVEL && !expected.test(line.msg));
  return isProblem ? [`logged: ${text}`] : [];
}
