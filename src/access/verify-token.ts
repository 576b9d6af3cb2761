import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';
import { AppError } from '../errors.ts';

/** Who a dashboard's token speaks for. */
export interface Viewer {
  companyId: Id;
  /** ms since the epoch. */
  expiresAt: number;
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
    let claims;
    try {
      claims = (await jwtVerify(token, key as JWTVerifyGetKey, options)).payload;
    } catch (cause) {
      throw toAppError(cause);
    }
    const { companyId, exp } = claims;
    if (typeof companyId !== 'string' || !OBJECT_ID.test(companyId)) {
      throw new AppError('TOKEN_INVALID', "the token's companyId is not an id of 24 hexadecimal characters");
    }
    return { companyId: companyId.toLowerCase(), expiresAt: (exp ?? 0) * 1_000 };
  };
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
