import { hash, webcrypto } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';
import type { ViewerScope } from '../domain/scope.ts';
import { AppError } from '../errors.ts';

/** What a dashboard's token proves. */
export interface Viewer {
  companyId: Id;
  /** ms since the epoch. */
  expiresAt: number;
  /**
   * Identifies the tokens that share a limit: those with the same `sub` or, without `sub`, those with equal claims. It
   * depends on signed claims only, so the holder of a token cannot vary it.
   */
  share: string;
  /** The claim `sub`; undefined if the token has none. */
  userId?: string | undefined;
  /** Undefined for the whole company. */
  scope?: ViewerScope | undefined;
}

/**
 * @throws AppError TOKEN_INVALID, with a message that does not contain the token; TOKEN_KEYS_UNAVAILABLE; SCOPE_INVALID if the
 * token is valid, but its scope cannot be read
 */
export type VerifyToken = (token: unknown) => Promise<Viewer>;

export interface VerifyTokenOptions {
  secret?: string | undefined;
  jwksUrl?: string | undefined;
  /** A trailing slash is ignored: identity providers differ in it. */
  issuer?: string | undefined;
  audience?: string | undefined;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Called if a token is refused since its `nbf` is in the future: our clock or the issuer's is wrong. */
  onTooEarly?: (aheadMs: number) => void;
  /** Reads the scope of verified claims. @throws AppError SCOPE_INVALID */
  scopeOfClaims: (
    claims: Readonly<Record<string, unknown>>,
  ) => ViewerScope | undefined | Promise<ViewerScope | undefined>;
}

/** Allowed difference between the clocks of this server and the issuer: a token is accepted this long before its `nbf`. */
const CLOCK_TOLERANCE_MS = 30_000;

/**
 * Pins the algorithms: HS256 for the shared secret, asymmetric ones for a JWKS. `exp` and `companyId` are required. A token is
 * accepted up to 30 s before its `nbf`, but never after its `exp`.
 */
export function createVerifyToken(given: VerifyTokenOptions): VerifyToken {
  const { secret, jwksUrl, issuer, audience, now = Date.now, onTooEarly, scopeOfClaims } = given;
  const keyOf: JWTVerifyGetKey = jwksUrl
    ? createRemoteJWKSet(new URL(jwksUrl), {
        timeoutDuration: 2_000,
        cooldownDuration: 10_000,
        cacheMaxAge: 600_000,
      })
    : createSecretKeyOf(secret);
  const options = {
    algorithms: jwksUrl ? ['RS256', 'PS256', 'ES256', 'EdDSA'] : ['HS256'],
    requiredClaims: ['exp', 'companyId'],
    ...(issuer !== undefined && { issuer: [issuer.replace(/\/$/, ''), issuer.replace(/\/?$/, '/')] }),
    ...(audience !== undefined && { audience }),
  };
  return async (token) => {
    if (typeof token !== 'string' || token === '' || token.length > 8_192) {
      throw new AppError('TOKEN_INVALID', 'a token is required: a JWT with companyId and exp');
    }
    if (!isCanonical(token)) throw new AppError('TOKEN_INVALID', 'the token is not valid');
    let claims;
    try {
      const currentDate = new Date(now());
      const clockTolerance = CLOCK_TOLERANCE_MS / 1_000;
      const checks = { ...options, currentDate, clockTolerance };
      claims = (await jwtVerify(token, keyOf, checks)).payload;
    } catch (cause) {
      const aheadMs = aheadOf(cause, now());
      if (aheadMs !== undefined) onTooEarly?.(aheadMs);
      throw toAppError(cause);
    }
    const { companyId, exp = 0, sub } = claims;
    if (exp * 1_000 <= now()) throw new AppError('TOKEN_INVALID', 'the token has expired');
    if (typeof companyId !== 'string' || !OBJECT_ID.test(companyId)) {
      throw new AppError('TOKEN_INVALID', "the token's companyId is not an id of 24 hexadecimal characters");
    }
    const id = companyId.toLowerCase();
    // An issuer may write a number, or anything else.
    const userId = typeof sub === 'string' ? sub : JSON.stringify(sub);
    const sharedBy = sub === undefined ? `claims ${token.split('.')[1]}` : `sub ${userId}`;
    return {
      companyId: id,
      expiresAt: exp * 1_000,
      share: `${id} ${hash('sha256', sharedBy).slice(0, 32)}`,
      userId,
      scope: await scopeOfClaims(claims),
    };
  };
}

/** Imports the secret once: `jose` would import it again for each token. */
function createSecretKeyOf(secret: string | undefined): JWTVerifyGetKey {
  let imported: ReturnType<typeof webcrypto.subtle.importKey> | undefined;
  return () => {
    const raw = new TextEncoder().encode(secret);
    imported ??= webcrypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    return imported;
  };
}

/** How far `nbf` is in the future, in ms, if the token was refused for that. Its signature is valid then. */
function aheadOf(cause: unknown, now: number): number | undefined {
  if (!(cause instanceof errors.JWTClaimValidationFailed) || cause.claim !== 'nbf') return undefined;
  const { nbf } = cause.payload;
  return typeof nbf === 'number' ? nbf * 1_000 - now : undefined;
}

/**
 * Whether a token has the encoding that RFC 7515 requires. The decoder also accepts white space, padding, the other alphabet
 * of base64 and any unused bits, so that one token would have many forms.
 */
function isCanonical(token: string): boolean {
  const parts = token.split('.');
  return (
    parts.length === 3 && parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
  );
}

/** Errors of the JWKS server, not of the token: it does not answer, or its answer is not a JWKS. */
const KEYS_MISSING = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

function toAppError(cause: unknown): AppError {
  const code = cause instanceof errors.JOSEError ? cause.code : 'ERR_JOSE_GENERIC';
  if (KEYS_MISSING.has(code)) {
    return new AppError('TOKEN_KEYS_UNAVAILABLE', 'the keys to verify tokens cannot be fetched', {
      cause,
      retryAfterSeconds: 2,
    });
  }
  const words = code === 'ERR_JWT_EXPIRED' ? 'the token has expired' : 'the token is not valid';
  return new AppError('TOKEN_INVALID', words, { cause });
}
