import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { StartFailure } from './start-failure.mjs';

const ANSWER_WITHIN_MS = 5_000;
const DEFAULT_PORTS = { 'redis:': 6379, 'rediss:': 6379, 'redis+sentinel:': 26379 };

/**
 * Sees that a Redis answers at one at least of the addresses in REDIS_URL.
 * @param {string} url
 * @throws {StartFailure}
 */
export async function checkRedis(url) {
  const nodes = nodesOf(url);
  const answers = await Promise.allSettled(nodes.map(ping));
  if (answers.some(({ status }) => status === 'fulfilled')) return;
  const reasons = answers.map((answer, index) => {
    const { host, port } = /** @type {Node} */ (nodes[index]);
    return `${host}:${port} ${/** @type {PromiseRejectedResult} */ (answer).reason.message}`;
  });
  throw new StartFailure(
    `No Redis answers at REDIS_URL: ${reasons.join('; ')}. Correct it, or leave it out to have one started here.`,
  );
}

/** @typedef {{ host: string, port: number, isTls: boolean, login: string[] }} Node */

/** @returns {Node[]} */
function nodesOf(/** @type {string} */ url) {
  const scheme = /** @type {keyof typeof DEFAULT_PORTS} */ (/^[a-z+]+:/.exec(url)?.[0] ?? '');
  try {
    if (!(scheme in DEFAULT_PORTS)) throw new Error('unknown scheme');
    return url.split(',').map((part) => {
      const node = new URL(`redis://${part.replace(/^[a-z+]+:\/\//, '')}`);
      if (!node.hostname) throw new Error('no host');
      const login = [node.username, node.password].map(decodeURIComponent).filter(Boolean);
      // A sentinel has no password of the master's.
      const isSentinel = scheme === 'redis+sentinel:';
      return {
        host: node.hostname.replace(/^\[|\]$/g, ''),
        port: Number(node.port || DEFAULT_PORTS[scheme]),
        isTls: scheme === 'rediss:',
        login: isSentinel ? [] : login,
      };
    });
  } catch {
    throw new StartFailure(
      'REDIS_URL is malformed. It must look like redis://user:password@host:6379 (rediss:// with TLS; several, by ' +
        'commas, for a Cluster) or redis+sentinel://host:26379/master/0.',
    );
  }
}

/**
 * Any reply but a refused login means that Redis is there.
 * @param {Node} node
 * @returns {Promise<void>}
 */
function ping({ host, port, isTls, login }) {
  return new Promise((resolve, reject) => {
    const socket = isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    const end = (/** @type {string} */ problem) => {
      socket.destroy();
      if (problem) reject(new Error(problem));
      else resolve();
    };
    const late = setTimeout(
      () => end(`gives no answer within ${ANSWER_WITHIN_MS / 1000} s`),
      ANSWER_WITHIN_MS,
    );
    socket.once('close', () => clearTimeout(late));
    socket.once('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      end(`can't be reached (${error.code ?? error.message})`),
    );
    socket.once('end', () => end('closes the connection'));
    socket.once(isTls ? 'secureConnect' : 'connect', () =>
      socket.write(command(login.length > 0 ? ['AUTH', ...login] : ['PING'])),
    );
    socket.once('data', (chunk) => {
      const reply = chunk.toString('latin1');
      if (/^-(WRONGPASS|ERR.*AUTH)/.test(reply)) end('refuses the user or password');
      else if (reply.startsWith('-NOAUTH')) end('wants a password');
      else if (/^[+-]/.test(reply)) end('');
      else end('is no Redis');
    });
  });
}

/** @param {string[]} words */
function command(words) {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
