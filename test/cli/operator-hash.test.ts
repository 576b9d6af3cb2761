import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { isPassword, parsePasswordHash } from '../../src/access/password-hash.ts';
import { readAndHashPassword } from '../../src/cli/operator-hash.ts';

/** The standard input of a pipe, or of a terminal, that sends this text. */
function input(text: string, isTTY = false): NodeJS.ReadStream {
  const stream = Object.assign(new PassThrough(), { isTTY });
  stream.write(text);
  if (!isTTY) stream.end();
  return stream as unknown as NodeJS.ReadStream;
}

test.each([
  ['of a pipe', input('a-long-password')],
  ['of a line', input('a-long-password\n')],
  ['of a line of Windows', input('a-long-password\r\n')],
  ['of a terminal', input('a-long-password\r', true)],
])('operator-hash prints a hash of the password %s', async (_, stream) => {
  const hash = await readAndHashPassword(stream);
  expect(hash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
  expect(await isPassword('a-long-password', parsePasswordHash(hash))).toBe(true);
});

test.each([
  ['', /at least 12 characters/],
  ['eleven-char\n', /at least 12 characters/],
  ['a-long-password\nanother-password\n', /one line/],
])('operator-hash refuses %j', async (text, problem) => {
  await expect(readAndHashPassword(input(text))).rejects.toThrow(problem);
});
