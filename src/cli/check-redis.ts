import type { WorkerConfig } from '../config.ts';
import { errorMessage } from '../errors.ts';
import { describeAccessError } from '../redis/access-errors.ts';
import { findMissingRules, mayRun } from '../redis/access-rights.ts';
import { nodesOf, type RedisClient } from '../redis/connect.ts';
import { parseInfo, type RedisInfo, whyNoWrites } from '../redis/redis-info.ts';
import { warnOfHiddenHistory, warnOfInfo } from '../redis/redis-warnings.ts';
import { failure, type Finding, ok, warning } from './findings.ts';

const MIN_VERSION = [6, 2] as const;
const USERS = 'see "Users and TLS" in docs/guides/redis.md';
const NOT_KEPT = 'run CONFIG SET, and write it into redis.conf';

type Node = ReturnType<typeof nodesOf>[number];

/** Checks every node of a connected Redis, and the rights of the user in REDIS_URL. */
export async function checkRedis(
  redis: RedisClient,
  config: WorkerConfig,
  role: 'api' | 'worker',
): Promise<Finding[]> {
  const names = { prefix: config.QUEUE_PREFIX, adapterKey: config.SOCKET_ADAPTER_KEY };
  const mayReadConfig = await mayRun(redis, ['config', 'get', 'appendfsync'], names).catch(() => false);
  const nodes = nodesOf(redis);
  const found = await Promise.all(
    nodes.map(async (node) => {
      const of = nodes.length > 1 ? `${node.options.host}:${node.options.port}: ` : '';
      const findings = await checkNode(node, { isOfCluster: nodes.length > 1, mayReadConfig });
      return findings.map((finding) => ({ ...finding, text: `${of}${finding.text}` }));
    }),
  );
  return [...found.flat(), ...(await checkRights(redis, role, names))];
}

async function checkNode(
  node: Node,
  { isOfCluster, mayReadConfig }: { isOfCluster: boolean; mayReadConfig: boolean | undefined },
): Promise<Finding[]> {
  let info: RedisInfo;
  try {
    info = parseInfo(await node.info());
  } catch (error) {
    return [failure(`Redis does not answer INFO: ${describeAccessError(error)}`, 'start or repair it')];
  }
  const config = mayReadConfig === false ? undefined : await readConfig(node);
  const policy = info['maxmemory_policy'];
  const findings = [checkVersion(info)];
  if (policy !== undefined && policy !== 'noeviction')
    findings.push(
      failure(
        `maxmemory-policy is ${policy}: Redis can evict jobs and logs`,
        `set maxmemory-policy noeviction: ${NOT_KEPT}`,
      ),
    );
  const refuses = whyNoWrites(info, isOfCluster);
  if (refuses !== undefined)
    findings.push(failure(`Redis rejects writes: ${refuses}`, 'POST fails until then'));
  findings.push(...checkDurability(info, config), ...checkSlowLog(config));
  const further = [...warnOfInfo({ ...info, aof_enabled: '1' }), ...warnOfHiddenHistory(info)];
  return [...findings, ...further.map(splitAdvice)];
}

function checkVersion(info: RedisInfo): Finding {
  const valkey = info['valkey_version'];
  const version = info['redis_version'] ?? '0';
  const name = valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isTooOld = major < MIN_VERSION[0] || (major === MIN_VERSION[0] && minor < MIN_VERSION[1]);
  return isTooOld ? failure(`${name} is too old`, 'install Redis 7.2 or newer, or Valkey') : ok(name);
}

function checkDurability(info: RedisInfo, config: Config | undefined): Finding[] {
  if (info['aof_enabled'] === '0')
    return [
      failure(
        'Redis has no append-only file: a crash loses accepted emissions',
        `set appendonly yes and appendfsync always: ${NOT_KEPT}`,
      ),
    ];
  const fsync = config?.['appendfsync'];
  if (fsync === undefined || fsync === 'always') return [ok('append-only file')];
  return [
    warning(
      `appendfsync is ${fsync}: a power failure loses the last emissions that were accepted`,
      `set appendfsync always: ${NOT_KEPT}`,
    ),
  ];
}

function checkSlowLog(config: Config | undefined): Finding[] {
  if (!config)
    return [ok('appendfsync and slowlog-log-slower-than: this user may not read them, which is right')];
  const logged = Object.entries(config).filter(
    ([name, value]) => name !== 'appendfsync' && Number(value) >= 0,
  );
  return logged.map(([name, value]) =>
    warning(
      `${name} is ${value}: this log keeps personal data of published messages`,
      `set ${name} -1: ${NOT_KEPT}`,
    ),
  );
}

type Config = Readonly<Record<string, string>>;

const CONFIG_NAMES = [
  'appendfsync',
  'slowlog-log-slower-than',
  // Valkey's, from 8.1 on.
  'commandlog-request-larger-than',
  'commandlog-reply-larger-than',
];

/** `undefined` if this user may not read the configuration, or a provider has no CONFIG. */
async function readConfig(node: Node): Promise<Config | undefined> {
  try {
    const replies = await Promise.all(CONFIG_NAMES.map((name) => node.config('GET', name)));
    const found = replies.map(([name = '', value = '']) => [name, value] as const);
    return Object.fromEntries(found.filter(([name]) => name !== ''));
  } catch {
    return undefined;
  }
}

async function checkRights(
  redis: RedisClient,
  role: 'api' | 'worker',
  names: Parameters<typeof findMissingRules>[2],
): Promise<Finding[]> {
  try {
    const missing = await findMissingRules(redis, role, names);
    if (missing === undefined)
      return [
        warning(
          'rights: Redis before version 7 does not report them',
          'compare them with ops/redis/users.acl',
        ),
      ];
    if (missing.length > 0)
      return [
        failure(
          `the user in REDIS_URL lacks ${missing.slice(0, 10).join(' ')}${missing.length > 10 ? ' …' : ''}`,
          `load the rules for ${role} in ops/redis/users.acl; ${USERS}`,
        ),
      ];
    if (await mayRun(redis, ['flushall'], names))
      return [
        warning(
          'the user in REDIS_URL may run every command, so that this process can delete all data',
          `use the user ${role} of ops/redis/users.acl; ${USERS}`,
        ),
      ];
    return [ok(`rights: those of the user ${role} in ops/redis/users.acl`)];
  } catch (error) {
    return [
      failure(
        `the user in REDIS_URL may not run scripts: ${errorMessage(error)}`,
        `load the rules for ${role} in ops/redis/users.acl; ${USERS}`,
      ),
    ];
  }
}

/** These warnings end with their advice. */
function splitAdvice(words: string): Finding {
  const [, text = words, advice = ''] = /^(.*)[:;] (.*)$/.exec(words) ?? [];
  return warning(text, advice);
}
