import { domainToASCII } from 'node:url';

/** Host and port of a server. */
export interface Address {
  /** IPv6 without brackets. */
  host: string;
  port: number;
}

interface Login {
  username: string | undefined;
  password: string | undefined;
}

/** The server, Cluster or Sentinel master that REDIS_URL names. A Cluster has one database, 0. */
export type RedisTarget = Login & { database: number } & (
    | { kind: 'server' | 'cluster'; nodes: readonly Address[]; tls: boolean }
    | { kind: 'sentinel'; nodes: readonly Address[]; master: string }
  );

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26_379;
const SCHEME = /^(rediss?|redis\+sentinel):\/\//i;
const HOST_AND_PORT = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d+))?$/;
const SHAPES =
  'must be redis://user:password@host:6379/0, rediss://… with TLS, several separated by commas for a Cluster, or ' +
  'redis+sentinel://user:password@host:26379/master/0';
const ENCODE =
  'percent-encode special characters in user name and password (# is %23, / is %2F, ? is %3F, @ is %40, % is %25, ' +
  'a comma is %2C)';

/**
 * Reads REDIS_URL: `redis://…` is one server, `redis://a,redis://b` a Cluster, `redis+sentinel://…/master/0` a master that
 * Sentinel monitors.
 * @throws RangeError whose message continues the setting's name; it never holds a user name or a password
 */
export function readRedisUrl(text: string): RedisTarget {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw new RangeError(SHAPES);
  if (/[?#]/.test(text)) {
    throw new RangeError(`must not contain ? or #: it has no options; ${ENCODE}`);
  }
  const parts = text.split(',').map((part) => part.trim());
  if (parts.includes('')) throw new RangeError('has an empty entry: remove the comma, or add a node');
  return scheme === 'redis+sentinel' ? readSentinels(parts) : readNodes(scheme, parts);
}

/** The number of the database that REDIS_URL names. */
export function databaseOf(url: string): number {
  return readRedisUrl(url).database;
}

function readNodes(scheme: string, parts: readonly string[]): RedisTarget {
  const read = parts.map((part) => {
    const own = SCHEME.exec(part)?.[1]?.toLowerCase() ?? scheme;
    if (own !== scheme) throw new RangeError(`must begin each node with the same scheme, ${scheme}://`);
    return readNode(part.replace(SCHEME, ''));
  });
  const login = oneLogin(read.map(({ login }) => login));
  const databases = read.map(({ path }) => readDatabase(path));
  const kind = parts.length > 1 ? 'cluster' : 'server';
  if (kind === 'cluster' && databases.some((database) => database > 0)) {
    throw new RangeError('must not name a database: a Cluster has only database 0');
  }
  const nodes = distinct(read.map(({ address }) => address));
  return { kind, nodes, ...login, tls: scheme === 'rediss', database: databases[0] ?? 0 };
}

/** `user:password@host:port/path`, without the scheme. */
function readNode(text: string): { address: Address; login: Login | undefined; path: string } {
  const [authority = '', path = ''] = text.split(/\/(.*)/s);
  const { login, hosts } = splitLogin(authority, path);
  return { address: readAddress(hosts, DEFAULT_PORT), login, path };
}

function readSentinels(parts: readonly string[]): RedisTarget {
  const text = parts.map((part) => part.replace(SCHEME, '')).join(',');
  const [authority = '', path = ''] = text.split(/\/(.*)/s);
  const { login, hosts } = splitLogin(authority, path);
  const [master = '', ...rest] = path.split('/');
  if (!/^[\w.-]+$/.test(master)) {
    throw new RangeError('must name the master after the sentinels: redis+sentinel://host:26379/master/0');
  }
  return {
    kind: 'sentinel',
    nodes: distinct(hosts.split(',').map((host) => readAddress(host, DEFAULT_SENTINEL_PORT))),
    ...oneLogin([login]),
    master,
    database: readDatabase(rest.join('/')),
  };
}

function splitLogin(authority: string, path: string): { login: Login | undefined; hosts: string } {
  // An @ in the path means that the password contains a slash.
  if (path.includes('@')) throw new RangeError(`cannot be read: ${ENCODE}`);
  const at = authority.lastIndexOf('@');
  if (at < 0) return { login: undefined, hosts: authority };
  const userinfo = authority.slice(0, at);
  if (/[@,\s]/.test(userinfo)) throw new RangeError(`cannot be read: ${ENCODE}`);
  const [username = '', password = ''] = userinfo.split(/:(.*)/s);
  const login = { username: decode(username) || undefined, password: decode(password) || undefined };
  return { login, hosts: authority.slice(at + 1) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError(`cannot be read: ${ENCODE}`);
  }
}

/** The nodes of a Cluster share one user and password. The URL may give them at one node, or the same at each. */
function oneLogin(logins: readonly (Login | undefined)[]): Login {
  const given = logins.filter((login) => login !== undefined);
  const [first = { username: undefined, password: undefined }] = given;
  const differ = given.some(
    ({ username, password }) => username !== first.username || password !== first.password,
  );
  if (differ) throw new RangeError('must have the same user name and password for each node');
  return first;
}

function readAddress(text: string, defaultPort: number): Address {
  const [, host = '', port = String(defaultPort)] = HOST_AND_PORT.exec(text) ?? [];
  const name = host.startsWith('[') ? host : domainToASCII(host);
  if (name === '' || !URL.canParse(`http://${name}`)) {
    throw new RangeError(
      `has a node without a usable host: write host:${defaultPort}, IPv6 in brackets as in [::1]:${defaultPort}; ${ENCODE}`,
    );
  }
  if (Number(port) < 1 || Number(port) > 65_535) {
    throw new RangeError('has an invalid port: ports are numbers from 1 to 65535');
  }
  return { host: new URL(`http://${name}`).hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function readDatabase(path: string): number {
  const text = path.replace(/\/$/, '');
  if (!/^\d{0,5}$/.test(text)) {
    throw new RangeError(
      'must end with the number of a database or without one, as in redis://host:6379/0: databases in Redis have no names',
    );
  }
  return Number(text);
}

function distinct(nodes: readonly Address[]): Address[] {
  return [...new Map(nodes.map((node) => [`${node.host} ${node.port}`, node])).values()];
}
