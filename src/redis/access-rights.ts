import { readFileSync } from 'node:fs';
import { isCluster, type RedisClient } from './connect.ts';
import { luaScript } from './script.ts';

/** A command with arguments that stand for the keys or channels that it uses. */
type CommandLine = readonly string[];

export interface FleetNames {
  /** QUEUE_PREFIX, in braces. */
  prefix: string;
  adapterKey: string;
}

/** Rules that clients of a Cluster need as well: they read its layout and name their connections. */
const CLUSTER_RULES = ['+cluster|slots', '+cluster|info', '+client|setname'];

const deniedScript = luaScript(new URL('./denied-rights.lua', import.meta.url));

/**
 * Compares the rights of the connection's user with the rules of ops/redis/users.acl for a process.
 * @returns the missing rules, such as `+publish` and `~{emissions}:recent:*`; `undefined` before Redis 7, which does not report rights.
 * @throws what Redis throws, for example if the user may not run scripts
 */
export async function findMissingRules(
  redis: RedisClient,
  role: 'api' | 'worker',
  names: FleetNames,
): Promise<string[] | undefined> {
  const rules = [...rulesOf(role, names), ...(isCluster(redis) ? CLUSTER_RULES : [])];
  const lines = new Map(
    rules.flatMap((rule) => commandsOf(rule, role, keyOf(names)).map((line) => [line, rule] as const)),
  );
  const denied = await findDenied(redis, [...lines.keys()], names);
  return denied && [...new Set(denied.map((line) => lines.get(line) ?? line))];
}

/** Whether the connection's user may run a command; `undefined` before Redis 7. @throws what Redis throws */
export async function mayRun(
  redis: RedisClient,
  command: CommandLine,
  names: FleetNames,
): Promise<boolean | undefined> {
  const denied = await findDenied(redis, [JSON.stringify(command)], names);
  return denied && denied.length === 0;
}

async function findDenied(
  redis: RedisClient,
  lines: readonly string[],
  names: FleetNames,
): Promise<string[] | undefined> {
  return ((await deniedScript(redis, [keyOf(names)], lines)) as string[] | null) ?? undefined;
}

/** A key that both users may use. It is never read. */
const keyOf = ({ prefix }: FleetNames): string => `${prefix}:canary:rights`;

/** The rules of a user, with the names of this fleet instead of the default ones. */
function rulesOf(role: 'api' | 'worker', { prefix, adapterKey }: FleetNames): string[] {
  const file = readFileSync(new URL('../../ops/redis/users.acl', import.meta.url), 'utf8');
  const line = file.split('\n').find((rules) => rules.startsWith(`user ${role} `)) ?? '';
  return line
    .split(' ')
    .filter((rule) => /^[+~&]/.test(rule))
    .map((rule) =>
      rule
        .replace(/^~\{emissions/, `~${prefix.slice(0, -1)}`)
        .replace(/^&socket\.io:0:\{emissions\}/, `&${adapterKey}`),
    );
}

/** Their arguments are channels, which rules of their own allow. */
const PUB_SUB = /^(publish|p?(un)?subscribe)$/;

/** Command lines, as JSON, that a user may run only with this rule. @param key  that the user may use */
function commandsOf(rule: string, role: 'api' | 'worker', key: string): string[] {
  const [kind, name] = [rule.slice(0, 1), rule.slice(1)];
  const lines: CommandLine[] = [];
  // Redis reads the arguments of some commands, such as SET, to find out how they use their keys.
  if (kind === '+') lines.push(name.includes('|') || PUB_SUB.test(name) ? name.split('|') : [name, key, key]);
  else if (kind === '~') lines.push(['get', name]);
  else if (role === 'worker') lines.push(['publish', name, '']);
  // Redis compares the pattern of a subscription with the rule literally.
  else lines.push(['publish', name, ''], [name.includes('*') ? 'psubscribe' : 'subscribe', name]);
  return lines.map((line) => JSON.stringify(line));
}
