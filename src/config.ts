import { z } from 'zod';
import { defaultAdapterKey } from '@appointment-emissions/contracts';
import { API_LIMITS, type ApiLimits, SHARED_LIMITS } from './settings/limits.ts';
import { readMongoUri } from './settings/mongo-uri.ts';
import { databaseOf, readRedisUrl } from './settings/redis-url.ts';
import {
  flag,
  list,
  port,
  readBasePath,
  readBy,
  readHttpUrl,
  readOrigin,
  text,
  trimSettings,
  whole,
} from './settings/values.ts';

const SECRET_LENGTH = 32;
const DEFAULT_PORT = 3001;

const secret = text.min(SECRET_LENGTH, `must have at least ${SECRET_LENGTH} characters`);
/** A header must be able to hold it. */
const apiKey = secret.regex(
  /^[\x21-\x7e]+$/,
  'must be keys of visible ASCII characters without spaces, separated by commas',
);
const TRANSPORTS = 'must be polling, websocket, or both separated by a comma';
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Settings of both processes, by environment variable. */
const shared = {
  MONGODB_URI: readBy(readMongoUri),
  REDIS_URL: readBy((url) => (readRedisUrl(url), url)),
  /** Module with the model description; the default model without it. */
  EMISSIONS_MODEL: text.optional(),
  /** Prefix of the queue's and the metrics' keys; in braces, so that Cluster keeps them in one slot. */
  QUEUE_PREFIX: text
    .regex(
      /^\{[\w.:-]+\}$/,
      'must be a name in braces, such as {emissions}: letters, digits, and . : _ - inside',
    )
    .default('{emissions}'),
  /** Number of shards over which the companies' jobs are divided. */
  QUEUE_SHARDS: whole(1, 48).default(1),
  /** First part of the Socket.IO adapter's channels. */
  SOCKET_ADAPTER_KEY: text
    .regex(/^[^#*?[\]\\\s]+$/, 'must not contain #, *, ?, [, ], \\ or spaces')
    .optional(),
  LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).default('info'),
  LOG_DIR: text.default('logs'),
  /** Number of log files that are kept; 0 writes to standard output alone. One would be deleted when it is full. */
  LOG_FILES: whole(0, 1_000)
    .refine((files) => files !== 1, 'must be 0, or 2 or more: a full file is kept beside the current one')
    .default(5),
  LOG_FILE_MAX_MB: whole(1, 100_000).default(100),
  METRICS_PORT: port.optional(),
  EMISSION_ATTEMPTS: whole(1, 100).default(8),
  EMISSION_BACKOFF_MS: whole(1, 60_000).default(500),
  COMPANY_LOG_MAX: whole(1, 1_000_000).default(10_000),
  /** Of this process. What exceeds it goes to the bulk queue. */
  MAX_LIVE_PER_COMPANY_PER_SECOND: whole(1, 1_000_000).default(100),
  /** Interval of a gateway's canaries. With 0 none are sent, and `/livez` only says that a process answers. */
  CANARY_INTERVAL_MS: whole(0, 3_600_000).default(5_000),
};

const workerShape = {
  ...shared,
  WORKER_CONCURRENCY: whole(1, 5_000).default(200),
  RECONCILE_INTERVAL_MS: whole(0, 3_600_000).default(5_000),
  /** `change-stream`: reads every write from MongoDB's change stream, beside calls and sweep. Needs a replica set. */
  CAPTURE: z.enum(['off', 'change-stream'], 'must be off or change-stream').default('off'),
  /** How long capture waits for the writer's own call. */
  CAPTURE_GRACE_MS: whole(0, 60_000).default(250),
  /** Whether a change of a customer, a pet or another reference is emitted for the appointments around today. */
  CAPTURE_REFERENCES: flag.default(false),
};

/** Settings of the operator's page. */
const operatorShape = {
  ADMIN_USER: text.regex(/^[^:]+$/, 'must not contain a colon: HTTP Basic ends the name there').optional(),
  ADMIN_PASSWORD: text.min(12, 'must have at least 12 characters').optional(),
  ADMIN_WRITES: flag.default(false),
  /** File with the names, roles and password hashes of several operators. */
  OPERATORS_FILE: text.optional(),
};

const apiShape = {
  ...shared,
  PORT: port.default(DEFAULT_PORT),
  /** Path prefix that a proxy in front strips. */
  BASE_PATH: readBy(readBasePath).optional(),
  INTERNAL_SERVICE_API_KEY: list.pipe(z.array(apiKey).min(1, 'must name at least one key')),
  SOCKET_JWT_SECRET: secret.optional(),
  SOCKET_JWKS_URL: readBy(readHttpUrl).optional(),
  SOCKET_JWT_ISSUER: text.optional(),
  SOCKET_JWT_AUDIENCE: text.optional(),
  ...operatorShape,
  CORS_ORIGIN: list.pipe(z.array(readBy(readOrigin))).default([]),
  SOCKET_TRANSPORTS: list
    .pipe(z.array(z.enum(['polling', 'websocket'], TRANSPORTS)).min(1, TRANSPORTS))
    .transform((names) => [...new Set(names)])
    .default(['polling', 'websocket']),
  /** How long `/readyz` fails before the API stops listening: at least the load balancer's check interval. */
  SHUTDOWN_DRAIN_MS: whole(0, 30_000).default(2_000),
  /** Requests to the internal routes with one key, and from one address, in the whole fleet; on average over 10 s. */
  MAX_REQUESTS_PER_SECOND: whole(1, 1_000_000).default(5_000),
  /** More waiting emissions are refused with 503. Each takes about 1 kB of Redis. */
  MAX_WAITING_EMISSIONS: whole(1, 100_000_000).default(500_000),
  /** Live emissions whose jobs the API runs itself, at once. 0 leaves all to workers. */
  API_CONCURRENCY: whole(0, 1_000).default(10),
  /**
   * How long an idle connection stays open. It must exceed the idle timeout of the load balancer, or the balancer sends requests on
   * connections that are being closed. Google's is 600 s; Amazon's can be set to 4,000 s.
   */
  KEEP_ALIVE_TIMEOUT_MS: whole(100, 7_200_000).default(65_000),
  /** Number of our proxies in front, each of which appends to X-Forwarded-For. */
  TRUST_PROXY: whole(0, 10).default(0),
};

/**
 * Settings of the embedded pipeline. The application provides the rest: server, MongoDB connection, log, and the logins of
 * dashboards and operators.
 */
const embeddedShape = {
  REDIS_URL: shared.REDIS_URL,
  QUEUE_PREFIX: shared.QUEUE_PREFIX,
  QUEUE_SHARDS: shared.QUEUE_SHARDS,
  SOCKET_ADAPTER_KEY: shared.SOCKET_ADAPTER_KEY,
  EMISSION_ATTEMPTS: shared.EMISSION_ATTEMPTS,
  EMISSION_BACKOFF_MS: shared.EMISSION_BACKOFF_MS,
  COMPANY_LOG_MAX: shared.COMPANY_LOG_MAX,
  MAX_LIVE_PER_COMPANY_PER_SECOND: shared.MAX_LIVE_PER_COMPANY_PER_SECOND,
  WORKER_CONCURRENCY: workerShape.WORKER_CONCURRENCY,
  RECONCILE_INTERVAL_MS: workerShape.RECONCILE_INTERVAL_MS,
  CAPTURE: workerShape.CAPTURE,
  CAPTURE_GRACE_MS: workerShape.CAPTURE_GRACE_MS,
  CAPTURE_REFERENCES: workerShape.CAPTURE_REFERENCES,
  BASE_PATH: apiShape.BASE_PATH,
  /** Without a key the router accepts no request. */
  INTERNAL_SERVICE_API_KEY: apiShape.INTERNAL_SERVICE_API_KEY.default([]),
  MAX_REQUESTS_PER_SECOND: apiShape.MAX_REQUESTS_PER_SECOND,
  MAX_WAITING_EMISSIONS: apiShape.MAX_WAITING_EMISSIONS,
  TRUST_PROXY: apiShape.TRUST_PROXY,
};

/** The application's own health check and metrics cover the process: it sends no canary, and opens no port for metrics. */
const NOT_EMBEDDED = { CANARY_INTERVAL_MS: 0, METRICS_PORT: undefined };

const apiSchema = z.object(apiShape);
const workerSchema = z.object(workerShape);
const embeddedSchema = z.object(embeddedShape);
const operatorSchema = z.object(operatorShape);
const serviceKeysSchema = z.object({ INTERNAL_SERVICE_API_KEY: list.default([]) });

type WithAdapterKey<T> = T & { SOCKET_ADAPTER_KEY: string };
/** Settings and limits of an API process. */
export type ApiConfig = WithAdapterKey<z.infer<typeof apiSchema>> & ApiLimits;
/** Settings and limits of a worker process. */
export type WorkerConfig = WithAdapterKey<z.infer<typeof workerSchema>> & typeof SHARED_LIMITS;
/** Settings and limits of the pipeline inside an existing application. */
export type EmbeddedConfig = WithAdapterKey<z.infer<typeof embeddedSchema>> & typeof NOT_EMBEDDED & ApiLimits;
/** Settings of the operator's page. */
export type OperatorConfig = z.infer<typeof operatorSchema>;
/** Settings that all processes share. */
export type SharedConfig = Pick<ApiConfig, keyof ApiConfig & keyof WorkerConfig & keyof EmbeddedConfig>;
/** Settings of a worker, stand-alone or embedded. */
export type WorkerCoreConfig = Pick<WorkerConfig, keyof WorkerConfig & keyof EmbeddedConfig>;
/** Settings of a process that accepts emissions and serves dashboards, stand-alone or embedded. */
export type CoreConfig = Pick<ApiConfig, keyof ApiConfig & keyof EmbeddedConfig>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names of all settings. docs/reference/configuration.md lists them. */
export const SETTING_NAMES: readonly string[] = [
  ...new Set([...Object.keys(apiShape), ...Object.keys(workerShape)]),
];

/** All problems of the environment at once: a line for each, which begins with the name of its variable. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is invalid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** @throws {@link ConfigError} with every problem. */
export function loadApiConfig(env: Environment): ApiConfig {
  return { ...withAdapterKey(parse(apiSchema, env, findConflicts)), ...API_LIMITS };
}

/** @throws {@link ConfigError} with every problem. */
export function loadWorkerConfig(env: Environment): WorkerConfig {
  return { ...withAdapterKey(parse(workerSchema, env)), ...SHARED_LIMITS };
}

/** @throws {@link ConfigError} with every problem. */
export function loadEmbeddedConfig(env: Environment): EmbeddedConfig {
  return { ...withAdapterKey(parse(embeddedSchema, env)), ...NOT_EMBEDDED, ...API_LIMITS, ...SHARED_LIMITS };
}

/** Reads the settings of the operator's page alone. @throws {@link ConfigError} with every problem. */
export function loadOperatorConfig(env: Environment): OperatorConfig {
  return parse(operatorSchema, env, findOperatorConflicts);
}

/** Reads `INTERNAL_SERVICE_API_KEY` alone; an empty list if it is not set. @throws {@link ConfigError} with every problem. */
export function loadServiceKeys(env: Environment): string[] {
  return parse(serviceKeysSchema, env).INTERNAL_SERVICE_API_KEY;
}

type Given = Readonly<Record<string, string>>;

function parse<T>(
  schema: z.ZodType<T>,
  env: Environment,
  conflictsOf: (given: Given) => string[] = () => [],
): T {
  const given = trimSettings(env);
  const { data: config, error } = schema.safeParse(given);
  const problems = (error?.issues ?? []).map(({ path, code, message }) => {
    const name = String(path[0] ?? '');
    return given[name] === undefined && code === 'invalid_type'
      ? `${name} is required`
      : `${name} ${message}`;
  });
  const all = [...new Set([...problems, ...conflictsOf(given)])];
  if (config === undefined || all.length > 0) throw new ConfigError(all);
  return config;
}

type Shared = z.infer<typeof workerSchema>;

function withAdapterKey<T extends Pick<Shared, 'REDIS_URL' | 'QUEUE_PREFIX' | 'SOCKET_ADAPTER_KEY'>>(
  config: T,
): WithAdapterKey<T> {
  const { REDIS_URL, QUEUE_PREFIX, SOCKET_ADAPTER_KEY } = config;
  const adapterKey = SOCKET_ADAPTER_KEY ?? defaultAdapterKey(databaseOf(REDIS_URL), QUEUE_PREFIX);
  return { ...config, SOCKET_ADAPTER_KEY: adapterKey };
}

/** Problems between the API's settings, whether or not each is usable by itself. */
function findConflicts(given: Given): string[] {
  const { SOCKET_JWT_SECRET: jwtSecret, SOCKET_JWKS_URL: jwksUrl } = given;
  const problems: string[] = [];
  if (jwtSecret === undefined && jwksUrl === undefined) {
    problems.push('SOCKET_JWT_SECRET is required, unless SOCKET_JWKS_URL is set');
  }
  if (jwtSecret !== undefined && jwksUrl !== undefined) {
    problems.push('SOCKET_JWKS_URL and SOCKET_JWT_SECRET exclude each other: set only one');
  }
  if (jwtSecret !== undefined && serviceKeysOf(given).includes(jwtSecret)) {
    problems.push(
      'SOCKET_JWT_SECRET must not be an INTERNAL_SERVICE_API_KEY: services must not be able to sign tokens',
    );
  }
  problems.push(...findOperatorConflicts(given));
  const metricsPort = Number(given['METRICS_PORT'] ?? 0);
  if (metricsPort > 0 && metricsPort === Number(given['PORT'] ?? DEFAULT_PORT)) {
    problems.push('METRICS_PORT must differ from PORT');
  }
  return problems;
}

function findOperatorConflicts(given: Given): string[] {
  const { SOCKET_JWT_SECRET: jwtSecret, ADMIN_PASSWORD: password } = given;
  if (given['OPERATORS_FILE'] !== undefined)
    return ['ADMIN_USER', 'ADMIN_PASSWORD', 'ADMIN_WRITES']
      .filter((name) => given[name] !== undefined)
      .map((name) => `${name} has no effect with OPERATORS_FILE: set only one of them`);
  const problems = ['ADMIN_USER', 'ADMIN_PASSWORD']
    .filter((name) => given[name] === undefined)
    .map((name) => `${name} is required, unless OPERATORS_FILE is set`);
  if (password !== undefined && [jwtSecret, ...serviceKeysOf(given)].includes(password))
    problems.push(
      'ADMIN_PASSWORD must not be an INTERNAL_SERVICE_API_KEY or SOCKET_JWT_SECRET: operators must not have these secrets',
    );
  return problems;
}

function serviceKeysOf(given: Given): string[] {
  return (given['INTERNAL_SERVICE_API_KEY'] ?? '').split(',').map((key) => key.trim());
}
