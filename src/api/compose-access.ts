import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { clientAddress } from '../access/client-address.ts';
import { type ApiConfig, ConfigError, type CoreConfig, type OperatorConfig } from '../config.ts';
import { createApiKeys } from '../access/api-keys.ts';
import { type AuthenticateOperator, authenticateOne, openOperatorsFile } from '../access/operators.ts';
import { requireApiKey } from '../http/middleware/authenticate.ts';
import { requireOperator } from '../http/middleware/basic-auth.ts';
import { createFleetRate } from '../access/fleet-rate.ts';
import { errorMessage } from '../errors.ts';
import {
  countFailure,
  type limitEmits,
  limitFailures,
  limitRate,
  limitViewers,
} from '../http/middleware/limit-rate.ts';
import { createParseScope, readScope } from '../access/read-scope.ts';
import { createVerifyToken, type VerifyTokenOptions, type Viewer } from '../access/verify-token.ts';
import { createLogEarlyTokens } from '../realtime/gateway-log.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import type { Logger } from '../process/logger.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import type { Resources } from '../resources/open-resources.ts';

/** Verifies a token. The request gives the caller's address, whose failures are counted. */
export type VerifyFrom = (token: unknown, request: IncomingMessage) => Promise<Viewer>;

export interface ServiceAccess {
  /** The limits that all emissions share, by HTTP and by socket. */
  emitLimits: Parameters<typeof limitEmits>[0];
  requireApiKey: RequestHandler[];
  /** For sockets of services. @throws AppError RATE_LIMITED */
  verifyKey: (key: string, request: IncomingMessage) => string | undefined;
}

export interface Access extends ServiceAccess {
  /** For sockets of dashboards. @throws AppError TOKEN_INVALID, TOKEN_KEYS_UNAVAILABLE, RATE_LIMITED */
  verifyDashboard: VerifyFrom;
  /** For the list route. Counts the list in the limit of its viewer. @throws AppError, as `verifyDashboard` */
  verifyList: VerifyFrom;
  /** Counts a catch-up in the same limit, over all sockets of a viewer and all processes. @returns whether it is allowed */
  takeCatchUp: (viewer: Pick<Viewer, 'share'>) => boolean;
}

const RATE_WINDOW_SECONDS = 10;

/** Authentication of services and dashboards, with their rate limits. */
export function composeAccess(resources: Resources<ApiConfig>): Access {
  const { config, clock, logger, models } = resources;
  const verifyToken = createVerifyToken({
    secret: config.SOCKET_JWT_SECRET,
    jwksUrl: config.SOCKET_JWKS_URL,
    issuer: config.SOCKET_JWT_ISSUER,
    audience: config.SOCKET_JWT_AUDIENCE,
    now: clock.now,
    onTooEarly: createLogEarlyTokens(logger),
    scopeOfClaims: composeScopeOfClaims(models.model, logger),
  });
  const { rate, failures } = composeRates(resources);
  const lists = rate('lists', config.MAX_LISTS_PER_VIEWER_PER_SECOND);
  const verifyDashboard = limitFailures(failures('token-failures'), verifyToken);
  return {
    ...composeServiceAccess(resources),
    verifyDashboard,
    verifyList: limitViewers(lists, verifyDashboard),
    takeCatchUp: ({ share }) => lists.consume(share).isAllowed,
  };
}

/** Reads the claim `scope`, unless the model description has a function of all claims. */
function composeScopeOfClaims(model: AppointmentModel, logger: Logger): VerifyTokenOptions['scopeOfClaims'] {
  const { scopeOf } = model;
  const parseScope = createParseScope(model);
  if (!scopeOf) return ({ scope }) => parseScope(scope);
  const notRead = createThrottledLog(logger, 'scope not read');
  const onFault = (error: unknown) => {
    notRead({}, error);
  };
  return (claims) => readScope({ scopeOf, parseScope, onFault }, claims);
}

/** Authentication of services by their key, with its rate limits. */
export function composeServiceAccess(resources: Resources<CoreConfig>): ServiceAccess {
  const { config } = resources;
  const { rate, failures, addressOf } = composeRates(resources);
  const apiKeys = createApiKeys(config.INTERNAL_SERVICE_API_KEY);
  const ofKeys = failures('key-failures');
  const emitLimits = {
    byAddress: rate('address', config.MAX_REQUESTS_PER_SECOND),
    byKey: rate('key', config.MAX_REQUESTS_PER_SECOND),
    addressOf,
  };
  return {
    emitLimits,
    requireApiKey: [
      limitRate('address', emitLimits.byAddress, addressOf),
      requireApiKey(apiKeys, ofKeys),
      limitRate('key', emitLimits.byKey, (_req, res) => String(res.locals.keyFingerprint)),
    ],
    verifyKey: (key, request) => {
      const fingerprint = apiKeys.verify(key);
      if (fingerprint === undefined) countFailure('keys', ofKeys, request);
      return fingerprint;
    },
  };
}

/**
 * Authentication of operators by their password, with a limit of wrong ones.
 * @throws ConfigError if `OPERATORS_FILE` is not usable
 */
export function composeOperatorAccess(
  resources: Resources<CoreConfig>,
  settings: OperatorConfig,
): RequestHandler {
  const authenticate = composeAuthenticate(resources, settings);
  return requireOperator(authenticate, composeRates(resources).failures('admin-failures'));
}

function composeAuthenticate(
  { lifecycle, logger, warnings }: Resources<CoreConfig>,
  { ADMIN_USER, ADMIN_PASSWORD, ADMIN_WRITES, OPERATORS_FILE: path }: OperatorConfig,
): AuthenticateOperator {
  if (path === undefined) {
    if (ADMIN_USER === undefined || ADMIN_PASSWORD === undefined)
      throw new ConfigError(['ADMIN_USER and ADMIN_PASSWORD are required, unless OPERATORS_FILE is set']);
    return authenticateOne({ name: ADMIN_USER, role: ADMIN_WRITES ? 'repair' : 'view' }, ADMIN_PASSWORD);
  }
  try {
    const operators = openOperatorsFile({ path, logger });
    lifecycle.onClose('operators file', operators.close);
    warnings.add(() => [operators.warning()]);
    return operators.authenticate;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([`OPERATORS_FILE is not usable: ${errorMessage(error)}`]);
  }
}

/** Rates that all processes share. */
function composeRates({ config, redis, lifecycle, reportDamage }: Resources<CoreConfig>) {
  const rate = (name: string, perSecond: number, windowSeconds = RATE_WINDOW_SECONDS) => {
    const limit = Math.ceil(perSecond * windowSeconds);
    const prefix = config.QUEUE_PREFIX;
    const limited = createFleetRate({ redis, prefix, name, limit, windowSeconds, reportDamage });
    lifecycle.onClose(`rate by ${name}`, limited.close);
    return limited;
  };
  const addressOf = (req: IncomingMessage) => clientAddress(req, config.TRUST_PROXY);
  const failures = (name: string) => ({
    rate: rate(name, config.MAX_AUTH_FAILURES_PER_MINUTE / 60, 60),
    addressOf,
  });
  return { rate, failures, addressOf };
}
