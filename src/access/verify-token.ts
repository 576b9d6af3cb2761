import { hash } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';
import { AppError } from '../errors.ts';

/** Who a dashboard's token speaks for. */
export interface Viewer {
  companyId: Id;
  /** ms since the epoch. */
  expiresAt: number;
  /**
   * Names who shares a limit: the user whom `sub` names or, without one, all tokens with exactly these claims. Made of
   * signed claims only: whoever holds a token cannot vary it.
   */
  share: string;
}

/** @throws AppError TOKEN_INVALID, in words without the token; TOKEN_KEYS_UNAVAILABLE. */
export type VerifyToken = (token: unknown) => Promise<Viewer>;

export interface VerifyTokenOptions {
  secret?: string | undefined;
  jwksUrl?: string | undefined;
  issuer?: string | undefined;
  audience?: string | undefined;
}

/** Pins the algorithms: HS256 for the shared secret, asymmetric ones for a JWKS. `exp` and `companyId` are required. */
export function createVerifyToken({ secret, jwksUrl, issuer, audience }: VerifyTokenOptions): VerifyToken {
  const key: Uint8Array | JWTVerifyGetKey = jwksUrl
    ? createRemoteJWKSet(new URL(jwksUrl), {
        timeoutDuration: 2_000,
        cooldownDuration: 10_000,
        cacheMaxAge: 600_000,
      })
    : new TextEncoder().encode(secret);
  const options = {
    algorithms: jwksUrl ? ['RS256', 'PS256', 'ES256', 'EdDSA'] : ['HS256'],
    requiredClaims: ['exp', 'companyId'],
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  };
  return async (token) => {
    if (typeof token !== 'string' || token === '' || token.length > 8_192) {
      throw new AppError('TOKEN_INVALID', 'a token is required: a JWT with companyId and exp');
    }
    if (!isCanonical(token)) throw new AppError('TOKEN_INVALID', 'the token is not valid');
    let claims;
    try {
      claims = (await jwtVerify(token, key as JWTVerifyGetKey, options)).payload;
    } catch (cause) {
      throw toAppError(cause);
    }
    const { companyId, exp, sub } = claims;
    if (typeof companyId !== 'string' || !OBJECT_ID.test(companyId)) {
      throw new AppError('TOKEN_INVALID', "the token's companyId is not an id of 24 hexadecimal characters");
    }
    const id = companyId.toLowerCase();
    const share = `${id} ${hash('sha256', sub === undefined ? `claims ${token.split('.')[1]}` : `sub ${sub}`).slice(0, 32)}`;
    return { companyId: id, expiresAt: (exp ?? 0) * 1_000, share };
  };
}

/**
 * Whether a token is spelt in the one way that RFC 7515 allows. The decoder also takes white space, padding, the other
 * alphabet of base64 and any unused bits: many spellings of one token.
 */
function isCanonical(token: string): boolean {
  const parts = token.split('.');
  return (
    parts.length === 3 && parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
  );
}

/** Faults of the JWKS' server, not of the token: it could not be fetched, or is none. */
const KEYS_MISSING = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

function toAppError(cause: unknown): AppError {
  const code = cause instanceof errors.JOSEError ? cause.code : 'ERR_JOSE_GENERIC';
  if (KEYS_MISSING.has(code)) {
    return new AppError(
      'TOKEN_KEYS_UNAVAILABLE',
      'the keys that tokens are checked with can not be fetched',
      {
        cause,
        retryAfterSeconds: 2,
      },
    );
  }
  const words = code === 'ERR_JWT_EXPIRED' ? 'the token has expired' : 'the token is not valid';
  return new AppError('TOKEN_INVALID', words, { cause });
}
