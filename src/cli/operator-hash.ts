import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { hashPassword } from '../access/password-hash.ts';
import { AppError } from '../errors.ts';

/**
 * Reads a password from the standard input and hashes it for `OPERATORS_FILE`. A terminal does not show it.
 * @throws AppError INVALID_REQUEST
 */
export async function readAndHashPassword(input: NodeJS.ReadStream = process.stdin): Promise<string> {
  const password = input.isTTY ? await ask(input) : (await text(input)).replace(/\r?\n$/, '');
  if (/[\r\n]/.test(password)) throw invalid('the standard input must have one line: the password');
  try {
    return await hashPassword(password);
  } catch (error) {
    throw error instanceof RangeError ? invalid(error.message) : error;
  }
}

function ask(input: ReadStream): Promise<string> {
  process.stderr.write('Password: ');
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      reject(invalid('no password'));
      lines.close();
    });
    lines.once('line', (line) => {
      process.stderr.write('\n');
      resolve(line);
      lines.close();
    });
  });
}

const invalid = (problem: string) => new AppError('INVALID_REQUEST', problem);
