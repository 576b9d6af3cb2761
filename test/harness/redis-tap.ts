import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';

/** Commands whose first argument is part of the name. */
const CONTAINERS = new Set(['client', 'config', 'acl', 'cluster', 'script', 'object', 'slowlog', 'function']);

const SCRIPT = 'script ';

/** Records the commands of each user with MONITOR, and the commands in its scripts, also those that were not run. */
export async function startRedisTap(url: string) {
  const redis = new Redis(url, { replyMapping: 'legacy' });
  const tap = await redis.monitor();
  const users = new Map<string, string>();
  const commands = new Map<string, Set<string>>();
  const scripts = new Map<string, string>();
  let learning = Promise.resolve();
  let source = '';

  /** MONITOR reports addresses: their users must be read while they are connected. */
  async function learnUsers(): Promise<void> {
    const clients = (await redis.client('LIST')) as string;
    for (const [, address = '', user = ''] of clients.matchAll(/ addr=(\S+) .* user=(\S+)/g))
      users.set(address, user);
  }

  tap.on('monitor', (_time: string, words: string[], from: string) => {
    const [word = '', first = ''] = words;
    // The commands of a script follow the call that runs it.
    if (from !== 'lua') source = from;
    if (!commands.has(source)) {
      commands.set(source, new Set());
      learning = learning.then(learnUsers);
    }
    const name = word.toLowerCase();
    const own = commands.get(source)!;
    own.add(CONTAINERS.has(name) ? `${name}|${first.toLowerCase()}` : name);
    if (name === 'evalsha') own.add(`${SCRIPT}${first}`);
    if (name === 'eval') {
      const text = unescaped(first);
      const digest = createHash('sha1').update(text, 'latin1').digest('hex');
      scripts.set(digest, text);
      own.add(`${SCRIPT}${digest}`);
    }
  });

  return {
    /** The commands that a user ran, and those in its scripts. */
    async of(user: string): Promise<{ ran: Set<string>; named: Set<string> }> {
      await learning;
      const own = [...commands].filter(([address]) => users.get(address) === user);
      const all = own.flatMap(([, names]) => [...names]);
      const digests = all.filter((name) => name.startsWith(SCRIPT)).map((name) => name.slice(SCRIPT.length));
      const texts = digests.map((digest) => scripts.get(digest) ?? '');
      const words = texts.flatMap((text) => text.match(/(?<=["'])[A-Za-z]+(?=["'])/g) ?? []);
      return {
        ran: new Set(all.filter((name) => !name.startsWith(SCRIPT))),
        named: new Set(words.map((word) => word.toLowerCase())),
      };
    },
    close() {
      tap.disconnect();
      redis.disconnect();
    },
  };
}

/** Decodes MONITOR's escapes: a new line is \\n, a byte \\x0a. ioredis has decoded quotes. */
function unescaped(text: string): string {
  const signs: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };
  return text.replace(/\\(x[0-9a-f]{2}|.)/g, (_, sign: string) =>
    sign.length === 3 ? String.fromCharCode(parseInt(sign.slice(1), 16)) : (signs[sign] ?? sign),
  );
}
