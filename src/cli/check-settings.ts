import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  type ApiConfig,
  ConfigError,
  type Environment,
  loadApiConfig,
  loadWorkerConfig,
  type WorkerConfig,
} from '../config.ts';
import { readOperatorsNow } from '../access/operators-file.ts';
import { errorMessage } from '../errors.ts';
import { readMongoTransport } from '../settings/mongo-uri.ts';
import { readRedisUrl } from '../settings/redis-url.ts';
import { failure, type Finding, ok, warning } from './findings.ts';

/** Package.json's `engines`. */
const MIN_NODE = { major: 20, minor: 19 };
/** Older versions get no security fixes. */
const MIN_SUPPORTED_MAJOR = 22;

/** Bits that a secret must have at least, by its length and its number of different characters. */
const MIN_BITS = { secret: 100, password: 30 };
const OBVIOUS = /pass-?word|passwort|secret|change-?me|example|12345|qwerty|letmein|admin/i;
/** Nothing but a repetition, or three times the same characters. */
const REPEATED = /^(.+?)\1+$|(.{3,})\2{2}|(.)\3{5}/;
const MAKE_SECRET = 'make another one: openssl rand -hex 32';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/;

/** Checks the version of Node.js. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < MIN_NODE.major || (major === MIN_NODE.major && minor < MIN_NODE.minor))
    return failure(`Node.js ${version} is too old`, 'install Node.js 24');
  if (major < MIN_SUPPORTED_MAJOR)
    return warning(`Node.js ${version} works, but gets no security fixes`, 'install Node.js 24');
  return ok(`Node.js ${version}`);
}

/**
 * Checks the settings of a process without its servers.
 * @returns also the settings that name the servers, if these can be read
 */
export function checkSettings(
  env: Environment,
  role: 'api' | 'worker',
): { findings: Finding[]; config: WorkerConfig | undefined } {
  const worker = attempt(() => loadWorkerConfig(env));
  const api = role === 'api' ? attempt(() => loadApiConfig(env)) : undefined;
  const problems = [...new Set([...(api?.problems ?? []), ...worker.problems])];
  const findings = problems.map((problem) =>
    failure(problem, 'correct it: docs/reference/configuration.md has all settings'),
  );
  if (problems.length === 0) findings.push(ok('settings: all are valid'));
  if (worker.config) findings.push(...checkTransport(worker.config), ...checkLogFolder(worker.config));
  if (api?.config)
    findings.push(...checkSecrets(api.config), ...checkOperators(api.config), ...checkOrigins(api.config));
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0')
    findings.push(
      failure(
        'NODE_TLS_REJECT_UNAUTHORIZED=0: certificates are not checked',
        'remove it; name your own certificate authority in NODE_EXTRA_CA_CERTS',
      ),
    );
  return { findings, config: worker.config };
}

function attempt<T>(load: () => T): { config: T | undefined; problems: readonly string[] } {
  try {
    return { config: load(), problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { config: undefined, problems: error.problems };
    throw error;
  }
}

function checkSecrets(config: ApiConfig): Finding[] {
  const secrets = [
    ...config.INTERNAL_SERVICE_API_KEY.map((key) => ['INTERNAL_SERVICE_API_KEY', key, 'secret'] as const),
    ['SOCKET_JWT_SECRET', config.SOCKET_JWT_SECRET, 'secret'] as const,
    ['ADMIN_PASSWORD', config.ADMIN_PASSWORD, 'password'] as const,
  ];
  const weak = secrets.filter(([, value, kind]) => value !== undefined && isGuessable(value, MIN_BITS[kind]));
  if (weak.length === 0) return [ok('secrets: none is easy to guess')];
  return [...new Set(weak.map(([name]) => name))].map((name) =>
    failure(`${name} is easy to guess`, MAKE_SECRET),
  );
}

/** An estimate: it finds repetition, few different characters and usual words, not every weak secret. */
function isGuessable(secret: string, minBits: number): boolean {
  const bits = secret.length * Math.log2(new Set(secret).size);
  return OBVIOUS.test(secret) || REPEATED.test(secret) || bits < minBits;
}

function checkOperators({ OPERATORS_FILE: path }: ApiConfig): Finding[] {
  if (path === undefined) return [];
  try {
    const operators = [...readOperatorsNow(path).entries.values()];
    if (operators.some(({ role }) => role === 'repair')) return [ok(`operators: ${operators.length}`)];
    return [warning('OPERATORS_FILE: no operator may repair', 'give one the role repair')];
  } catch (error) {
    return [
      failure(
        `OPERATORS_FILE is not usable: ${errorMessage(error)}`,
        'each line has a name, a role (view or repair) and a hash made by "emissions operator-hash"',
      ),
    ];
  }
}

function checkOrigins(config: ApiConfig): Finding[] {
  const { CORS_ORIGIN: origins, SOCKET_JWKS_URL: jwksUrl } = config;
  const findings = origins
    .filter((origin) => isReadable(origin))
    .map((origin) =>
      warning(
        `CORS_ORIGIN ${origin} is not encrypted: tokens can be read on the way`,
        'serve that page over https',
      ),
    );
  if (origins.length === 0)
    findings.push(
      warning(
        'CORS_ORIGIN is empty: only pages of the origin of the API can connect',
        'name the origins of your dashboards, such as https://calendar.example.com',
      ),
    );
  else if (findings.length === 0) findings.push(ok(`origins: ${origins.join(', ')}`));
  if (jwksUrl !== undefined && isReadable(jwksUrl))
    findings.push(
      failure('SOCKET_JWKS_URL is not encrypted: its keys can be forged on the way', 'use an https address'),
    );
  return findings;
}

/** Whether others on the network can read the traffic to an address. */
function isReadable(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !LOOPBACK.test(hostname);
}

function checkTransport({ REDIS_URL, MONGODB_URI }: WorkerConfig): Finding[] {
  const redis = readRedisUrl(REDIS_URL);
  const mongo = readMongoTransport(MONGODB_URI);
  const isLocal = (hosts: readonly string[]) => hosts.every((host) => LOOPBACK.test(host));
  const isRedisSafe =
    (redis.kind !== 'sentinel' && redis.tls) || isLocal(redis.nodes.map(({ host }) => host));
  const findings: Finding[] = [];
  if (!isRedisSafe)
    findings.push(
      warning(
        'REDIS_URL is not encrypted: published appointments can be read on the way',
        'begin each address with rediss://, unless the network is yours alone',
      ),
    );
  if (!mongo.isEncrypted && !isLocal(mongo.hosts))
    findings.push(
      warning(
        'MONGODB_URI is not encrypted: appointments can be read on the way',
        'add tls=true to its options, unless the network is yours alone',
      ),
    );
  return findings.length > 0 ? findings : [ok('connections to other machines are encrypted')];
}

function checkLogFolder({ LOG_DIR, LOG_FILES }: WorkerConfig): Finding[] {
  if (LOG_FILES === 0) return [ok('logs: standard output alone')];
  let folder = resolve(LOG_DIR);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
    return [ok(`logs: ${LOG_DIR}`)];
  } catch {
    return [
      warning(
        `LOG_DIR ${LOG_DIR} cannot be written by this user`,
        'change its owner, or set LOG_FILES=0 for standard output alone',
      ),
    ];
  }
}
