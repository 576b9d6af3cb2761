import { execFileSync } from 'node:child_process';
import { chmodSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createCheckPassword } from '../../src/access/check-password.ts';
import { openOperatorsFile } from '../../src/access/operators.ts';
import { parseOperators, readOperatorsNow, readOperatorsText } from '../../src/access/operators-file.ts';
import { hashPassword, isPassword, parsePasswordHash } from '../../src/access/password-hash.ts';
import { cheapHash, line, writeOperators } from '../operate/operators-file.ts';

const PASSWORD = 'a-long-password';
const HASH = cheapHash(PASSWORD);
const [, , PARAMETERS = '', SALT = '', KEY = ''] = HASH.split('$');

describe('a file of operators', () => {
  test.each([
    ['with a byte-order mark', `\ufeffann repair ${HASH}\n`],
    ['with the line ends of Windows', `# names\r\n\r\nann repair ${HASH}\r\n`],
    ['with tabs and spaces', `  ann\t repair   ${HASH}  `],
  ])('is read %s', (_, text) => {
    expect([...parseOperators(text).values()]).toEqual([
      expect.objectContaining({ name: 'ann', role: 'repair' }),
    ]);
  });

  test.each([
    ['nothing', '', /^it has no operator$/],
    ['comments only', '# ann\n', /^it has no operator$/],
    ['a name twice', `ann view ${HASH}\nann repair ${HASH}`, /^line 2: the name occurs twice$/],
    [
      'a name in two Unicode forms',
      `J\u00f6 view ${HASH}\nJo\u0308 view ${HASH}`,
      /^line 2: the name occurs twice$/,
    ],
    ['an unknown role', `ann admin ${HASH}`, /^line 1: the role must be view or repair$/],
    ['a role of a prototype', `ann constructor ${HASH}`, /^line 1: the role/],
    ['a name with a colon', `a:nn view ${HASH}`, /^line 1: the name/],
    ['an invisible character', `a\u200bnn view ${HASH}`, /^line 1: the name/],
    ['a line break in a log', `a\u2028nn view ${HASH}`, /^line 1: the name/],
    ['a long name', `${'a'.repeat(65)} view ${HASH}`, /^line 1: the name/],
    ['a password in clear', 'ann view hunter2hunter2', /^line 1: the password must be a hash/],
    ['no password', 'ann view', /^line 1: the password must be a hash/],
    ['a fourth word', `ann view ${HASH} more`, /^line 1: a line must have a name, a role and/],
    [
      'a short key',
      `ann view $scrypt$${PARAMETERS}$${SALT}$${KEY.slice(1)}`,
      /^line 1: the password must be a hash/,
    ],
    [
      'a short salt',
      `ann view $scrypt$${PARAMETERS}$${SALT.slice(1)}$${KEY}`,
      /^line 1: the password must be a hash/,
    ],
    ['weak parameters', `ann view $scrypt$ln=13,r=8,p=1$${SALT}$${KEY}`, /^line 1: .* too weak/],
    ['no repetition', `ann view $scrypt$ln=15,r=8,p=0$${SALT}$${KEY}`, /^line 1: .* too weak/],
    ['enormous memory', `ann view $scrypt$ln=30,r=8,p=1$${SALT}$${KEY}`, /^line 1: .* too expensive/],
    ['enormous work', `ann view $scrypt$ln=15,r=8,p=99$${SALT}$${KEY}`, /^line 1: .* too expensive/],
    ['an overflow', `ann view $scrypt$ln=99,r=999,p=999$${SALT}$${KEY}`, /^line 1: .* too expensive/],
    ['eight problems', 'x\n'.repeat(8), /^(line \d: the role must be view or repair; ){5}3 more$/],
  ])('with %s is refused, and the message quotes nothing of it', (_, text, problem) => {
    expect(() => parseOperators(text)).toThrow(problem);
    expect(() => parseOperators(text)).not.toThrow(/ann|hunter2|scrypt\$/);
  });

  test.each<[string, string | Buffer, (path: string) => string, RegExp]>([
    ['a directory', HASH, dirname, /^it is not a file$/],
    ['a missing file', HASH, (path) => `${path}-missing`, /^it cannot be read \(ENOENT\)$/],
    ['a path below a file', HASH, (path) => join(path, 'x'), /^it cannot be read \(ENOTDIR\)$/],
    ['a device', HASH, () => '/dev/zero', /^it is not a file$/],
    ['UTF-16', Buffer.from(`\ufeffann view ${HASH}`, 'utf16le'), (path) => path, /^it is not UTF-8 text$/],
    ['a huge file', HASH, enlarge, /^it is larger than 1 MB$/],
    ['a pipe', HASH, asPipe, /^it is not a file$/],
  ])('that is %s is refused, at start and later', async (_, text, change, problem) => {
    const path = change(writeOperators(text));
    expect(() => readOperatorsNow(path)).toThrow(problem);
    await expect(readOperatorsText(path)).rejects.toThrow(problem);
  });

  test('that this user may not read is refused', async () => {
    const path = writeOperators(line('ann', 'view', PASSWORD));
    chmodSync(path, 0);
    if (process.getuid?.() === 0) expect(readOperatorsNow(path).entries.size).toBe(1);
    else await expect(readOperatorsText(path)).rejects.toThrow('it cannot be read (EACCES)');
  });
});

function enlarge(path: string): string {
  truncateSync(path, 1_000_001);
  return path;
}

function asPipe(path: string): string {
  execFileSync('mkfifo', [`${path}.pipe`]);
  return `${path}.pipe`;
}

describe('a password', () => {
  test('is found by its hash, in each composition of its letters, and another one is not', async () => {
    const hash = parsePasswordHash(await hashPassword('p\u00e4sswort-zum-testen'));
    expect(await isPassword('pa\u0308sswort-zum-testen', hash)).toBe(true);
    expect(await isPassword('passwort-zum-testen', hash)).toBe(false);
    await expect(hashPassword('eleven-char')).rejects.toThrow('at least 12 characters');
    await expect(hashPassword('a-long-password\0')).rejects.toThrow('control character');
  });

  test('is checked for few requests at once: of an address, and in all', async () => {
    const check = createCheckPassword();
    const hash = parsePasswordHash(HASH);
    const wrong = (number: number, address: string) =>
      check({ name: 'ann', password: `wrong-${number}-${address}`, hash, address });
    // Two run, sixteen wait.
    const results = await Promise.allSettled([
      ...[1, 2, 3, 4].map((number) => wrong(number, 'a')),
      wrong(5, 'a'),
      ...Array.from({ length: 14 }, (_, number) => wrong(number, `b${number}`)),
      wrong(6, 'c'),
    ]);
    const refused = results.flatMap((result, index) =>
      result.status === 'rejected' ? [[index, result.reason as unknown]] : [],
    );
    const error = expect.objectContaining({ code: 'RATE_LIMITED', retryAfterSeconds: 1 });
    expect(refused).toEqual([
      [4, error],
      [19, error],
    ]);
    expect(await wrong(7, 'a')).toBe(false);
  });

  test('that is right is remembered for a minute, and the same requests share a check', async () => {
    let now = 0;
    const check = createCheckPassword(() => now);
    const attempt = { name: 'ann', password: PASSWORD, hash: parsePasswordHash(HASH), address: 'a' };
    const many = () => Promise.all(Array.from({ length: 10 }, () => check(attempt)));
    expect(await many()).not.toContain(false);
    const busy = ['1', '2', '3', '4'].map((password) => check({ ...attempt, password }));
    // There is no place for another check.
    expect(await check(attempt)).toBe(true);
    now = 60_001;
    await expect(check(attempt)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await Promise.all(busy);
    expect(await check(attempt)).toBe(true);
  });
});

test('a password of an unknown name is checked too, so that it takes as long', async () => {
  const operators = openOperatorsFile({
    path: writeOperators(line('ann', 'view', PASSWORD)),
    logger: pino({ level: 'silent' }),
  });
  try {
    const names = ['b', 'c', 'd', 'e', 'f'];
    const results = await Promise.allSettled(
      names.map((name) => operators.authenticate({ name, password: PASSWORD }, 'a')),
    );
    expect(results.map(({ status }) => status)).toEqual([...Array<string>(4).fill('fulfilled'), 'rejected']);
    expect(results.map((result) => result.status === 'fulfilled' && result.value)).toEqual([
      ...Array<undefined>(4).fill(undefined),
      false,
    ]);
  } finally {
    operators.close();
  }
});
