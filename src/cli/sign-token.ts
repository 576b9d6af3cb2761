import { SignJWT } from 'jose';
import { OBJECT_ID } from '@appointment-emissions/contracts';
import { createParseScope } from '../access/read-scope.ts';
import type { ApiConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import type { Command } from './command-line.ts';

const DEFAULT_HOURS = 1;
const MAX_HOURS = 24 * 366;

/**
 * Signs a token for a dashboard, as the application's login would. It has the issuer and the audience of the settings.
 * @throws AppError INVALID_REQUEST, SCOPE_INVALID
 */
export async function signToken(
  config: ApiConfig,
  model: AppointmentModel,
  { company, sub, scope, hours = String(DEFAULT_HOURS) }: Command['options'],
): Promise<string> {
  const { SOCKET_JWT_SECRET: secret, SOCKET_JWT_ISSUER: issuer, SOCKET_JWT_AUDIENCE: audience } = config;
  if (secret === undefined)
    throw invalid('SOCKET_JWKS_URL is set: only your identity provider can sign tokens');
  if (typeof company !== 'string') throw invalid('token needs --company: the id of the company');
  if (!OBJECT_ID.test(company)) throw invalid('--company must be 24 hexadecimal characters');
  const lifetimeHours = Number(hours);
  if (!(lifetimeHours > 0 && lifetimeHours <= MAX_HOURS))
    throw invalid(`--hours must be a number above 0 and at most ${MAX_HOURS}`);
  const token = new SignJWT({
    companyId: company.toLowerCase(),
    ...(typeof scope === 'string' && { scope: readScopeClaim(scope, model) }),
  })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(Math.ceil(Date.now() / 1_000 + lifetimeHours * 3_600));
  if (typeof sub === 'string') token.setSubject(sub);
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(new TextEncoder().encode(secret));
}

/** A model with `scopeOf` gives the claim its own meaning. @throws AppError */
function readScopeClaim(json: string, model: AppointmentModel): unknown {
  let scope: unknown;
  try {
    scope = JSON.parse(json);
  } catch {
    throw invalid(`--scope must be JSON, such as '{"staffId": "65f0c0ffee65f0c0ffee00c0"}'`);
  }
  if (!model.scopeOf) createParseScope(model)(scope);
  return scope;
}

const invalid = (problem: string) => new AppError('INVALID_REQUEST', problem);
