import { hash, timingSafeEqual } from 'node:crypto';

export interface ApiKeys {
  /** Returns the fingerprint of an accepted key, else `undefined`. Its duration does not depend on the key. */
  verify: (given: string) => string | undefined;
}

/** Compares digests. They have equal lengths, so the duration of a comparison reveals nothing about a key. */
export function createApiKeys(keys: readonly string[]): ApiKeys {
  const digests = keys.map(digest);
  return {
    verify(given) {
      const digested = digest(given);
      let match: Buffer | undefined;
      for (const known of digests) if (timingSafeEqual(known, digested)) match = known;
      return match && fingerprint(match);
    },
  };
}

function digest(key: string): Buffer {
  return Buffer.from(hash('sha256', key, 'base64'), 'base64');
}

/** Names a key in logs without revealing it. */
function fingerprint(hash: Buffer): string {
  return hash.toString('hex').slice(0, 8);
}
