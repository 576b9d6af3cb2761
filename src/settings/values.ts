import { z } from 'zod';

/** What editors, shells and `kubectl create secret` leave around a value: white space, line ends, a byte-order mark. */
const AROUND = /^[\s\u200b\ufeff]+|[\s\u200b\ufeff]+$/g;
/** Nobody sees these, and no header can hold a line break. */
const INVISIBLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/u;
const QUOTED = /^(["'`]).*\1$/s;

/** One rule for all settings: white space around a value is no part of it; an empty value counts as not given. */
export function trimSettings(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = Object.entries(env).filter(([, value = '']) => value !== '');
  return Object.fromEntries(given.map(([name, value = '']) => [name, value.replace(AROUND, '')]));
}

/** Any value, once it is trimmed. */
export const text = z
  .string()
  .min(1, { error: 'holds white space only: write a value, or leave the setting out', abort: true })
  .refine((value) => !QUOTED.test(value), { error: 'stands in quotes: write it without them', abort: true })
  .refine((value) => !INVISIBLE.test(value), {
    error: 'contains a line break or another invisible character: remove it',
    abort: true,
  });

/** By commas, each part without the spaces around it. A trailing comma does no harm. */
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

/** A value that `read` understands. `read` throws a RangeError whose message continues the setting's name. */
export const readBy = <T>(read: (value: string) => T) =>
  text.transform((value, context): T => {
    try {
      return read(value);
    } catch (error) {
      context.addIssue(error instanceof RangeError ? error.message : 'cannot be read');
      return z.NEVER;
    }
  });

/** As browsers send it: scheme, host and port in lower case, without a default port, in punycode. */
export function readOrigin(value: string): string {
  if (!/^https?:\/\/[^/?#@*\\\s]+$/i.test(value) || !URL.canParse(value)) {
    throw new RangeError(
      'must be origins by commas, such as https://calendar.example.com: scheme, host and port, no path, no slash at the end, no *',
    );
  }
  return new URL(value).origin;
}

/** An address that we send requests to. */
export function readHttpUrl(value: string): string {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) {
    throw new RangeError('must be an address such as https://id.example.com/keys');
  }
  const { username, password, href } = new URL(value);
  if (username !== '' || password !== '') throw new RangeError('must not contain a user name or password');
  return href;
}

/** What a proxy in front strips from paths: `/x` or `/a/b`; undefined where that is nothing. */
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
