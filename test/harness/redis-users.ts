import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisOptions } from '../../scripts/services/redis.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { RedisClient } from '../../src/redis/connect.ts';
import { errorMessage } from '../../src/errors.ts';
import { freshDir, ownRedis } from './own-services.ts';
import type { World } from './world.ts';

const RULES = readFileSync(new URL('../../ops/redis/users.acl', import.meta.url), 'utf8');
const PASSWORD = 'users-password';
const NO_PASSWORD_YET = '0'.repeat(64);

/** The users of ops/redis/users.acl. */
export const REDIS_USERS = ['operator', 'api', 'worker'] as const;
export type RedisUser = (typeof REDIS_USERS)[number];

/** A world's names instead of the default ones. */
export interface RedisNames {
  /** In braces. */
  prefix: string;
  adapterKey: string;
}

/** A line of Redis's ACL log: what a user was denied. */
export interface Denial {
  user: string;
  reason: string;
  object: string;
  context: string;
}

/** The rules of ops/redis/users.acl for one user. @param names  instead of the default ones */
export function rulesOf(user: RedisUser, names?: RedisNames): string[] {
  const line = RULES.split('\n').find((rules) => rules.startsWith(`user ${user} `));
  if (!line) throw new Error(`ops/redis/users.acl has no user ${user}`);
  const rules = line.split(' ').slice(2);
  if (!names) return rules;
  const own = names.prefix.slice(0, -1);
  return rules.map((rule) =>
    rule.replace(/^~\{emissions/, `~${own}`).replace(/^&socket\.io:0:\{emissions\}/, `&${names.adapterKey}`),
  );
}

/** Additional rules for clients of a Cluster: they read its layout and name their connections. */
const CLUSTER_RULES = ['+cluster|slots', '+cluster|info', '+client|setname'];

/** Adds the users of ops/redis/users.acl to one node of a Cluster. */
export async function addClusterUsers(node: RedisClient, names: RedisNames): Promise<void> {
  for (const user of ['api', 'worker'] as const) {
    await setUser(node, user, [...rulesOf(user, names), ...CLUSTER_RULES]);
  }
}

/** Their name and password, as a URL contains them. */
export const CLUSTER_LOGIN = { api: `api:${PASSWORD}`, worker: `worker:${PASSWORD}` };

/** Sets the tests' password instead of the one in the rules. */
async function setUser(redis: RedisClient, user: string, rules: readonly string[]): Promise<void> {
  const others = rules.filter((rule) => !rule.startsWith('#'));
  await redis.call('ACL', 'SETUSER', user, 'reset', `>${PASSWORD}`, ...others);
}

/** Everything that Redis has denied since its log was cleared. */
export async function readDenials(redis: RedisClient): Promise<Denial[]> {
  const entries = (await redis.call('ACL', 'LOG', '128')) as unknown[][];
  return entries.map((fields) => {
    const of = (name: string) => String(fields[fields.indexOf(name) + 1]);
    return { user: of('username'), reason: of('reason'), object: of('object'), context: of('context') };
  });
}

/**
 * Creates production's users for one world on a shared Redis, so that every test runs under the rules of
 * ops/redis/users.acl. Resolves to `undefined` if this Redis does not allow creating users.
 */
export async function createRedisUsers(redis: RedisClient, url: string, names: RedisNames) {
  const make = async (role: 'api' | 'worker'): Promise<string> => {
    const user = `${role}-${names.adapterKey}`;
    await setUser(redis, user, rulesOf(role, names));
    return withLogin(url, user);
  };
  let urls;
  try {
    urls = { api: await make('api'), worker: await make('worker') };
  } catch (error) {
    // Only a Redis that denies ACL commands is accepted: rules that it cannot parse are an error.
    if (!/NOPERM|unknown command/i.test(errorMessage(error))) throw error;
    return undefined;
  }
  return {
    ...urls,
    /** @throws if production's users have tried something that they are not allowed to do, and that is not expected */
    async remove(isExpected: (denial: Denial) => boolean = () => false): Promise<void> {
      const users = [`api-${names.adapterKey}`, `worker-${names.adapterKey}`];
      const denials = await readDenials(redis);
      const denied = denials.filter((denial) => users.includes(denial.user) && !isExpected(denial));
      await redis.call('ACL', 'DELUSER', ...users);
      if (denied.length === 0) return;
      const lines = denied.map(
        ({ user, reason, object, context }) => `${user}: ${reason} ${object} (${context})`,
      );
      throw new Error(`ops/redis/users.acl does not allow:\n${lines.join('\n')}`);
    },
  };
}

/** Creates a Redis user that may do everything but PUBLISH, which `allow` changes. It is removed with the world. */
export async function createMutedUser({ redis, env, keep }: Pick<World, 'redis' | 'env' | 'keep'>) {
  const user = `muted-${env['SOCKET_ADAPTER_KEY']}`;
  await setUser(redis, user, ['on', '~*', '&*', '+@all', '-publish']);
  keep(user, () => redis.call('ACL', 'DELUSER', user));
  return {
    url: withLogin(env['REDIS_URL']!, user),
    allow: (rule: '+publish' | '-publish') => redis.call('ACL', 'SETUSER', user, rule),
  };
}

/** Starts a Redis for one test with ops/redis/users.acl, in which only the passwords are replaced. */
export async function ownRedisWithUsers(
  options: Partial<RedisOptions> = {},
): Promise<{ redis: ServiceHandle; urls: Record<RedisUser, string> }> {
  const dir = freshDir('redis');
  const file = join(dir, 'users.acl');
  mkdirSync(dir, { recursive: true });
  // The check whether it is ready uses no login: the users are loaded afterwards.
  writeFileSync(file, 'user default on nopass allkeys allchannels +@all\n');
  const { extraArgs = [] } = options;
  const redis = await ownRedis({ dir, ...options, extraArgs: ['--aclfile', file, ...extraArgs] });
  const hash = createHash('sha256').update(PASSWORD).digest('hex');
  writeFileSync(file, RULES.replaceAll(NO_PASSWORD_YET, hash));
  const client = new Redis(redis.url);
  await client.call('ACL', 'LOAD').finally(() => {
    client.disconnect();
  });
  const urlOf = (user: RedisUser) => withLogin(redis.url, user);
  return {
    redis,
    urls: { operator: urlOf('operator'), api: urlOf('api'), worker: urlOf('worker') },
  };
}

function withLogin(url: string, user: string): string {
  const own = new URL(url);
  [own.username, own.password] = [user, PASSWORD];
  return own.href;
}
