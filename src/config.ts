import { z } from 'zod';
import { defaultAdapterKey } from '@appointment-emissions/contracts';
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
/** Sent in a header. */
const apiKey = secret.regex(
  /^[\x21-\x7e]+$/,
  'must be keys of visible ASCII characters, by commas: no spaces or other characters inside a key',
);
const TRANSPORTS = 'must be polling, websocket, or both by a comma';
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** What both processes need. Key: the environment variable. */
const shared = {
  MONGODB_URI: readBy(readMongoUri),
  REDIS_URL: readBy((url) => (readRedisUrl(url), url)),
  /** Prefix of the queue's and the metrics' keys; in braces, so that Cluster keeps them in one slot. */
  QUEUE_PREFIX: text
    .regex(
      /^\{[\w.:-]+\}$/,
      'must be a name in braces, such as {emissions}: letters, digits, and . : _ - inside',
    )
    .default('{emissions}'),
  /** First part of the Socket.IO adapter's channels. */
  SOCKET_ADAPTER_KEY: text
    .regex(/^[^#*?[\]\\\s]+$/, 'must not contain #, *, ?, [, ], \\ or spaces')
    .optional(),
  LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).default('info'),
  LOG_DIR: text.default('logs'),
  METRICS_PORT: port.optional(),
  EMISSION_ATTEMPTS: whole(1, 100).default(8),
  EMISSION_BACKOFF_MS: whole(1, 60_000).default(500),
  COMPANY_LOG_MAX: whole(1, 1_000_000).default(10_000),
  /** How often a canary goes the whole way; 0 is off, and then liveness only says that a process answers. */
  CANARY_INTERVAL_MS: whole(0, 3_600_000).default(5_000),
  SHUTDOWN_DEADLINE_MS: whole(100, 60_000).default(9_000),
};

const workerShape = {
  ...shared,
  WORKER_CONCURRENCY: whole(1, 5_000).default(200),
  RECONCILE_INTERVAL_MS: whole(0, 3_600_000).default(5_000),
};

const apiShape = {
  ...shared,
  PORT: port.default(DEFAULT_PORT),
  /** The path prefix that a proxy in front strips. */
  BASE_PATH: readBy(readBasePath).optional(),
  INTERNAL_SERVICE_API_KEY: list.pipe(z.array(apiKey).min(1, 'must name at least one key')),
  SOCKET_JWT_SECRET: secret.optional(),
  SOCKET_JWKS_URL: readBy(readHttpUrl).optional(),
  SOCKET_JWT_ISSUER: text.optional(),
  SOCKET_JWT_AUDIENCE: text.optional(),
  ADMIN_USER: text.regex(/^[^:]+$/, 'must not contain a colon: HTTP Basic ends the name there'),
  ADMIN_PASSWORD: text.min(12, 'must have at least 12 characters'),
  ADMIN_WRITES: flag.default(false),
  CORS_ORIGIN: list.pipe(z.array(readBy(readOrigin))).default([]),
  SOCKET_TRANSPORTS: list
    .pipe(z.array(z.enum(['polling', 'websocket'], TRANSPORTS)).min(1, TRANSPORTS))
    .transform((names) => [...new Set(names)])
    .default(['polling', 'websocket']),
  /** How long `/readyz` says no before the API stops listening; a load balancer's interval. */
  SHUTDOWN_DRAIN_MS: whole(0, 30_000).default(2_000),
  /** Most emissions that one catch-up replays; a dashboard that missed more reloads its list. */
  REPLAY_MAX: whole(1, 10_000).default(1_000),
  /** Requests a second to the internal routes, over 10 s, of the whole fleet: by key, and by address. */
  RATE_PER_KEY: whole(1, 1_000_000).default(5_000),
  RATE_PER_ADDRESS: whole(1, 1_000_000).default(5_000),
  /** Bodies of the internal routes. */
  BODY_MAX_BYTES: whole(256, 1_048_576).default(4_096),
  BATCH_MAX_BYTES: whole(1_024, 16_777_216).default(131_072),
  /** Of every request. */
  HEADERS_MAX_BYTES: whole(2_048, 262_144).default(16_384),
  HEADERS_MAX_COUNT: whole(20, 2_000).default(100),
  HEADERS_TIMEOUT_MS: whole(100, 600_000).default(10_000),
  REQUEST_TIMEOUT_MS: whole(100, 600_000).default(15_000),
  /** Longer than the load balancer's own, which else sends requests to connections that end. */
  KEEP_ALIVE_TIMEOUT_MS: whole(100, 600_000).default(65_000),
  /** How long a client may take nothing of an answer that waits for it. */
  RESPONSE_STALL_TIMEOUT_MS: whole(1_000, 600_000).default(30_000),
  /** TCP connections of one address to this process; not counted behind proxies (TRUST_PROXY). */
  MAX_CONNECTIONS_PER_ADDRESS: whole(1, 1_000_000).default(20_000),
  /** Wrong keys and tokens, and wrong passwords of operators, that an address may send. */
  AUTH_FAILURES_PER_MINUTE: whole(1, 1_000_000).default(100),
  /** Lists and catch-ups a second of one viewer, over 10 s: of a `sub`, or of tokens with the same claims. */
  LISTS_PER_TOKEN: whole(1, 100_000).default(20),
  /** Proxies of ours in front, which add to X-Forwarded-For. */
  TRUST_PROXY: whole(0, 10).default(0),
  /** Emissions that may wait before more are refused with 503: about 1 kB of Redis each. */
  QUEUE_MAX_WAITING: whole(1, 100_000_000).default(500_000),
  /** Connections that this gateway process holds: by company, and by address. */
  MAX_SOCKETS_PER_COMPANY: whole(1, 1_000_000).default(5_000),
  MAX_SOCKETS_PER_ADDRESS: whole(1, 1_000_000).default(10_000),
  /** Of one dashboard, over 10 s. */
  SOCKET_MESSAGES_PER_SECOND: whole(1, 100_000).default(20),
  SOCKET_MESSAGE_MAX_BYTES: whole(1_024, 1_048_576).default(16_384),
  /** A second, over 10 s. */
  CATCH_UPS_PER_SOCKET: whole(1, 1_000).default(1),
  SOCKET_MAX_BUFFERED_BYTES: whole(65_536, 1_073_741_824).default(8_388_608),
  IDEMPOTENCY_TTL_SECONDS: whole(10, 86_400).default(3_600),
};

const apiSchema = z.object(apiShape);
const workerSchema = z.object(workerShape);

type WithAdapterKey<T> = T & { SOCKET_ADAPTER_KEY: string };
export type ApiConfig = WithAdapterKey<z.infer<typeof apiSchema>>;
export type WorkerConfig = WithAdapterKey<z.infer<typeof workerSchema>>;
/** What both processes read. */
export type SharedConfig = Pick<ApiConfig, keyof ApiConfig & keyof WorkerConfig>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names of all settings, for the table in docs/reference/configuration.md. */
export const SETTING_NAMES: readonly string[] = [
  ...new Set([...Object.keys(apiShape), ...Object.keys(workerShape)]),
];

/** Every problem of the environment at once, a line each, named by its variable. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** @throws {@link ConfigError} with every problem. */
export function loadApiConfig(env: Environment): ApiConfig {
  return parse(apiSchema, env, problemsBetween);
}

/** @throws {@link ConfigError} with every problem. */
export function loadWorkerConfig(env: Environment): WorkerConfig {
  return parse(workerSchema, env, () => []);
}

type Given = Readonly<Record<string, string>>;
type Shared = z.infer<typeof workerSchema>;

function parse<T extends Pick<Shared, 'REDIS_URL' | 'QUEUE_PREFIX' | 'SOCKET_ADAPTER_KEY'>>(
  schema: z.ZodType<T>,
  env: Environment,
  more: (given: Given) => string[],
): WithAdapterKey<T> {
  const given = trimSettings(env);
  const { data: config, error } = schema.safeParse(given);
  const problems = (error?.issues ?? []).map(({ path, code, message }) => {
    const name = String(path[0] ?? '');
    return given[name] === undefined && code === 'invalid_type'
      ? `${name} is required`
      : `${name} ${message}`;
  });
  const all = [...new Set([...problems, ...more(given)])];
  if (config === undefined || all.length > 0) throw new ConfigError(all);
  const { REDIS_URL, QUEUE_PREFIX, SOCKET_ADAPTER_KEY } = config;
  const adapterKey = SOCKET_ADAPTER_KEY ?? defaultAdapterKey(databaseOf(REDIS_URL), QUEUE_PREFIX);
  return { ...config, SOCKET_ADAPTER_KEY: adapterKey };
}

/** What is wrong with the API's settings together, whether or not each is usable by itself. */
function problemsBetween(given: Given): string[] {
  const { SOCKET_JWT_SECRET: jwtSecret, SOCKET_JWKS_URL: jwksUrl, ADMIN_PASSWORD: password } = given;
  const keys = (given['INTERNAL_SERVICE_API_KEY'] ?? '').split(',').map((key) => key.trim());
  const problems: string[] = [];
  if (jwtSecret === undefined && jwksUrl === undefined) {
    problems.push('SOCKET_JWT_SECRET is required, unless SOCKET_JWKS_URL is set');
  }
  if (jwtSecret !== undefined && jwksUrl !== undefined) {
    problems.push('SOCKET_JWKS_URL and SOCKET_JWT_SECRET exclude one another: set one of them');
  }
  if (jwtSecret !== undefined && keys.includes(jwtSecret)) {
    problems.push(
      'SOCKET_JWT_SECRET must not be an INTERNAL_SERVICE_API_KEY: whoever has the one must not have the other',
    );
  }
  if (password !== undefined && [jwtSecret, ...keys].includes(password)) {
    problems.push(
      'ADMIN_PASSWORD must not be an INTERNAL_SERVICE_API_KEY or SOCKET_JWT_SECRET: operators must not have those',
    );
  }
  const metricsPort = Number(given['METRICS_PORT'] ?? 0);
  if (metricsPort > 0 && metricsPort === Number(given['PORT'] ?? DEFAULT_PORT)) {
    problems.push('METRICS_PORT must be another port than PORT');
  }
  return problems;
}
