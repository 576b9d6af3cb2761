import { z } from 'zod';

const SECRET_LENGTH = 32;

const text = z.string().min(1);
const list = text.transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);
const flag = z.enum(['on', 'off']).transform((value) => value === 'on');
const whole = (min: number, max: number) =>
  text
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);
const port = whole(0, 65_535);

const secret = text.min(SECRET_LENGTH, `must have at least ${SECRET_LENGTH} characters`);
const mongoUrl = text.regex(/^mongodb(\+srv)?:\/\/./, 'must start with mongodb:// or mongodb+srv://');
const redisUrl = text.regex(
  /^(rediss?|redis\+sentinel):\/\/[^,]+(,[^,]+)*$/,
  'must start with redis://, rediss:// or redis+sentinel://; comma-separated nodes mean Cluster',
);
const timeZone = text.refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin');

/** What both processes need. Key: the environment variable. */
const shared = {
  MONGODB_URI: mongoUrl,
  REDIS_URL: redisUrl,
  /** Prefix of the queue's and the metrics' keys; in braces, so that Cluster keeps them in one slot. */
  QUEUE_PREFIX: text
    .regex(/^\{[^{}]+\}$/, 'must be a name in braces, such as {emissions}')
    .default('{emissions}'),
  /** First part of the Socket.IO adapter's channels. */
  SOCKET_ADAPTER_KEY: text.regex(/^[^#*?[\]]+$/, 'must not contain #, *, ?, [ or ]').default('socket.io'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_DIR: text.default('logs'),
  METRICS_PORT: port.optional(),
  EMISSION_ATTEMPTS: whole(1, 100).default(8),
  EMISSION_BACKOFF_MS: whole(1, 60_000).default(500),
  COMPANY_LOG_MAX: whole(1, 1_000_000).default(10_000),
  /** How often a canary goes the whole way; 0 is off, and then liveness only says that a process answers. */
  CANARY_INTERVAL_MS: whole(0, 3_600_000).default(5_000),
  SHUTDOWN_DEADLINE_MS: whole(100, 60_000).default(9_000),
};

/** As browsers send it: scheme, host and port, nothing else. */
const origin = text.refine(
  (value) => URL.canParse(value) && new URL(value).origin === value,
  'must be origins such as https://calendar.example.com: no path, no *',
);

const workerShape = {
  ...shared,
  WORKER_CONCURRENCY: whole(1, 5_000).default(200),
  RECONCILE_INTERVAL_MS: whole(0, 3_600_000).default(5_000),
};

const apiShape = {
  ...shared,
  PORT: port.default(3001),
  INTERNAL_SERVICE_API_KEY: list.pipe(z.array(secret).min(1)),
  SOCKET_JWT_SECRET: secret.optional(),
  SOCKET_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  SOCKET_JWT_ISSUER: text.optional(),
  SOCKET_JWT_AUDIENCE: text.optional(),
  ADMIN_USER: text.regex(/^[^:]+$/, 'must not contain a colon: HTTP Basic ends the name there'),
  ADMIN_PASSWORD: text.min(12, 'must have at least 12 characters'),
  ADMIN_WRITES: flag.default(false),
  CORS_ORIGIN: list.pipe(z.array(origin)).default([]),
  SOCKET_TRANSPORTS: list
    .pipe(z.array(z.enum(['polling', 'websocket'])).min(1))
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
  /** Wrong keys and tokens, and wrong passwords of operators, that an address may send. */
  AUTH_FAILURES_PER_MINUTE: whole(1, 1_000_000).default(100),
  /** Lists a second that a token may ask for, over 10 s. */
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
  DASHBOARD_TIME_ZONE: timeZone.default('UTC'),
  IDEMPOTENCY_TTL_SECONDS: whole(10, 86_400).default(3_600),
  DEMO_MODE: flag.default(false),
  DEMO_BOT_URL: z.url({ protocol: /^https?$/ }).optional(),
};

const apiSchema = z
  .object(apiShape)
  .refine((config) => config.SOCKET_JWT_SECRET !== undefined || config.SOCKET_JWKS_URL !== undefined, {
    path: ['SOCKET_JWT_SECRET'],
    message: 'is required, unless SOCKET_JWKS_URL is set',
  })
  .refine((config) => !(config.SOCKET_JWT_SECRET !== undefined && config.SOCKET_JWKS_URL !== undefined), {
    path: ['SOCKET_JWKS_URL'],
    message: 'and SOCKET_JWT_SECRET exclude one another: set one of them',
  })
  .refine(({ SOCKET_JWT_SECRET: secret = '', INTERNAL_SERVICE_API_KEY: keys }) => !keys.includes(secret), {
    path: ['SOCKET_JWT_SECRET'],
    message: 'must not be an INTERNAL_SERVICE_API_KEY: whoever has the one must not have the other',
  })
  .refine(
    ({ ADMIN_PASSWORD: password, SOCKET_JWT_SECRET: secret, INTERNAL_SERVICE_API_KEY: keys }) =>
      ![secret, ...keys].includes(password),
    {
      path: ['ADMIN_PASSWORD'],
      message: 'must not be an INTERNAL_SERVICE_API_KEY or SOCKET_JWT_SECRET: operators must not have those',
    },
  );
const workerSchema = z.object(workerShape);

export type ApiConfig = z.infer<typeof apiSchema>;
export type WorkerConfig = z.infer<typeof workerSchema>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names of all settings, for the table in docs/configuration.md. */
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
  return parse(apiSchema, env);
}

/** @throws {@link ConfigError} with every problem. */
export function loadWorkerConfig(env: Environment): WorkerConfig {
  return parse(workerSchema, env);
}

function parse<T>(schema: z.ZodType<T>, env: Environment): T {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map((issue) => {
      const name = String(issue.path[0] ?? '');
      return given[name] === undefined && issue.code === 'invalid_type'
        ? `${name} is required`
        : `${name} ${issue.message}`;
    }),
  );
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
