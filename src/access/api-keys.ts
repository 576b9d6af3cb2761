import { hash, timingSafeEqual } from 'node:crypto';

export interface ApiKeys {
  /** The fingerprint of a key that is accepted, else `undefined`. Takes the same time whichever key is right. */
  verify: (given: string) => string | undefined;
}

/** Compares digests: equal in length, so that a comparison tells nothing about a key. */
export function createApiKeys(keys: readonly string[]): ApiKeys {
  const digests = keys.map(digest);
  return {
    verify(given) {
      const asked = digest(given);
      let match: Buffer | undefined;
      for (const known of digests) if (timingSafeEqual(known, asked)) match = known;
      return match && fingerprint(match);
    },
  };
}

function digest(key: string): Buffer {
  return Buffer.from(hash('sha256', key, 'base64'), 'base64');
}

/** Names a key in logs without telling it. */
function fingerprint(hash: Buffer): string {
  return hash.toString('hex').slice(0, 8);
}
