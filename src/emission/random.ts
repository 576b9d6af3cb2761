import { randomBytes } from 'node:crypto';

/** 16 URL-safe characters, 96 random bits: an epoch, an order token, the id of a read. */
export function randomId(): string {
  return randomBytes(12).toString('base64url');
}

/** Characters of every {@link randomId}; the publish script writes an epoch as a msgpack string of this length. */
export const RANDOM_ID_LENGTH = 16;
