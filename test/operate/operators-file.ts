import { randomBytes, scryptSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshDir } from '../harness/own-services.ts';

/** The cheapest parameters that are accepted. */
const [LN, R, P] = [14, 8, 1];

/** A hash in the form of `emissions operator-hash`, but faster to check. */
export function cheapHash(password: string, [ln, r, p] = [LN, R, P]): string {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 2 ** ln, r, p, maxmem: 2 ** 30 });
  const [saltText, keyText] = [salt, key].map((bytes) => bytes.toString('base64').replace(/=+$/, ''));
  return `$scrypt$ln=${ln},r=${r},p=${p}$${saltText}$${keyText}`;
}

export const line = (name: string, role: string, password: string): string =>
  `${name} ${role} ${cheapHash(password)}\n`;

/** A new file with this text. */
export function writeOperators(text: string | Buffer): string {
  const dir = freshDir('operators');
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'operators');
  writeFileSync(path, text);
  return path;
}

/** Settings of an API with this file. */
export const withFile = (path: string) => ({
  ...{ ADMIN_USER: '', ADMIN_PASSWORD: '', ADMIN_WRITES: '' },
  OPERATORS_FILE: path,
});
