import { z } from 'zod';

/** White space, line ends and byte-order marks, which editors, shells and `kubectl create secret` leave around a value. */
const AROUND = /^[\s\u200b\ufeff]+|[\s\u200b\ufeff]+$/g;
/** Characters that are invisible in an editor, or that no header can hold. */
const INVISIBLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/u;
const QUOTED = /^(["'`]).*\1$/s;

/** Removes white space around each value, and settings with an empty value. */
export function trimSettings(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = Object.entries(env).filter(([, value = '']) => value !== '');
  return Object.fromEntries(given.map(([name, value = '']) => [name, value.replace(AROUND, '')]));
}

/** Any trimmed value. */
export const text = z
  .string()
  .min(1, { error: 'contains only white space: set a value, or remove the setting', abort: true })
  .refine((value) => !QUOTED.test(value), { error: 'is in quotes: remove them', abort: true })
  .refine((value) => !INVISIBLE.test(value), {
    error: 'contains a line break or another invisible character: remove it',
    abort: true,
  });

/** Values separated by commas. Spaces around a value and a trailing comma are ignored. */
export const list = text.transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

export const flag = z.enum(['on', 'off'], 'must be on or off').transform((value) => value === 'on');

export const whole = (min: number, max: number) =>
  text
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}, in digits`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);

export const port = whole(0, 65_535);

/** A value that `read` parses. `read` throws a RangeError whose message continues the setting's name. */
export const readBy = <T>(read: (value: string) => T) =>
  text.transform((value, context): T => {
    try {
      return read(value);
    } catch (error) {
      context.addIssue(error instanceof RangeError ? error.message : 'cannot be read');
      return z.NEVER;
    }
  });

/** Returns an origin as browsers send it: in lower case and punycode, without a default port. */
export function readOrigin(value: string): string {
  if (!/^https?:\/\/[^/?#@*\\\s]+$/i.test(value) || !URL.canParse(value)) {
    throw new RangeError(
      'must be origins separated by commas, such as https://calendar.example.com: scheme, host and port, no path, no slash at the end, no *',
    );
  }
  return new URL(value).origin;
}

/** A URL to which the API sends requests. */
export function readHttpUrl(value: string): string {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) {
    throw new RangeError('must be an address such as https://id.example.com/keys');
  }
  const { username, password, href } = new URL(value);
  if (username !== '' || password !== '') throw new RangeError('must not contain a user name or password');
  return href;
}

/** Path prefix that a proxy strips, such as `/x` or `/a/b`. Returns undefined for `/` and for an empty value. */
export function readBasePath(value: string): string | undefined {
  const path = value.replace(/^\/|\/$/g, '');
  if (path === '' && /^\/?$/.test(value)) return undefined;
  const parts = path.split('/');
  if (!parts.every((part) => /^[\w.~-]+$/.test(part) && part !== '.' && part !== '..')) {
    throw new RangeError(
      'must be a path such as /calendar or /a/b: letters, digits and . _ ~ - between single slashes, no host, no ? or #',
    );
  }
  return `/${path}`;
}
