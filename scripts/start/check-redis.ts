import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

const REPLY_WITHIN_MS = 5_000;
const DEFAULT_PORTS: Record<string, number> = { 'redis:': 6379, 'rediss:': 6379, 'redis+sentinel:': 26379 };

interface Node {
  host: string;
  port: number;
  isTls: boolean;
  /** Arguments of AUTH; empty without a login. */
  login: string[];
}

/**
 * Checks that a Redis answers at one or more of the addresses in REDIS_URL, and accepts the login.
 * @throws with a message for the user, which never contains the password
 */
export async function checkRedis(url: string): Promise<void> {
  const nodes = parseNodes(url);
  const problems = await Promise.all(nodes.map(findProblem));
  if (problems.includes(undefined)) return;
  const reasons = nodes.map(({ host, port }, index) => `${host}:${port} ${problems[index]}`);
  throw new Error(
    `No Redis answers at REDIS_URL: ${reasons.join('; ')}. Correct it, or remove it: then npm start runs its own.`,
  );
}

function parseNodes(url: string): Node[] {
  const scheme = /^[a-z+]+:/.exec(url)?.[0] ?? '';
  const defaultPort = DEFAULT_PORTS[scheme];
  try {
    if (defaultPort === undefined) throw new Error('unknown scheme');
    return url.split(',').map((part) => {
      const node = new URL(`redis://${part.replace(/^[a-z+]+:\/\//, '')}`);
      if (!node.hostname) throw new Error('no host');
      const login = [node.username, node.password].map(decodeURIComponent).filter(Boolean);
      return {
        host: node.hostname.replace(/^\[|\]$/g, ''),
        port: Number(node.port || defaultPort),
        isTls: scheme === 'rediss:',
        // The URL contains the master's login; sentinels have another or none.
        login: scheme === 'redis+sentinel:' ? [] : login,
      };
    });
  } catch {
    throw new Error(
      'REDIS_URL is malformed. It must look like redis://user:password@host:6379 (rediss:// for TLS; several ' +
        'addresses, separated by commas, for a Cluster) or redis+sentinel://host:26379/master/0.',
    );
  }
}

/** Resolves to the problem of a node; undefined if it replies as Redis does. Any reply but a refused login is enough. */
function findProblem({ host, port, isTls, login }: Node): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    const end = (problem?: string): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(problem);
    };
    const late = setTimeout(() => {
      end(`does not answer within ${REPLY_WITHIN_MS / 1000} s`);
    }, REPLY_WITHIN_MS);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(`cannot be reached (${error.code ?? error.message})`);
    });
    socket.once('end', () => {
      end('closes the connection');
    });
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.write(encodeCommand(login.length > 0 ? ['AUTH', ...login] : ['PING']));
    });
    socket.once('data', (chunk: Buffer) => {
      end(problemOf(chunk.toString('latin1')));
    });
  });
}

function problemOf(reply: string): string | undefined {
  if (/^-(WRONGPASS|ERR.*AUTH)/.test(reply)) return 'refuses the user or password';
  if (reply.startsWith('-NOAUTH')) return 'requires a password';
  return /^[+-]/.test(reply) ? undefined : 'is not a Redis server';
}

function encodeCommand(words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
