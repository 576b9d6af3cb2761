import { randomBytes } from 'node:crypto';

const BYTES = 12;
/** A call costs far more than its bytes, and a job needs four ids. */
const IDS_PER_DRAW = 256;

let drawn = Buffer.alloc(0);
let used = 0;

/** 16 URL-safe characters, 96 random bits: an epoch, an order token, the id of a read. */
export function randomId(): string {
  if (used === drawn.length) {
    drawn = randomBytes(BYTES * IDS_PER_DRAW);
    used = 0;
  }
  used += BYTES;
  return drawn.toString('base64url', used - BYTES, used);
}

/** Characters of every {@link randomId}; the publish script writes an epoch as a msgpack string of this length. */
export const RANDOM_ID_LENGTH = 16;
