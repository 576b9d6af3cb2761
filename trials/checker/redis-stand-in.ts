import type { RedisCommand, RedisReply } from './lua-machine.ts';

/** A value of Redis. Fields, members and entries are sorted as Redis returns them, or by name. */
export type StoredValue =
  | { hash: Record<string, string> }
  | { stream: [id: string, ...fields: string[]][]; last: string }
  | { zset: Record<string, number> }
  /** `expiresAt`: in ms since 1970. */
  | { string: string; expiresAt?: number };

/** All keys of a Redis. Only strings have lifetimes; the expiry of another key is a deletion at any time. */
export type Keyspace = Record<string, StoredValue>;

export interface PublishedMessage {
  channel: string;
  message: string;
}

export interface StandIn {
  command: RedisCommand;
  /** What PUBLISH has sent, in order. */
  published: PublishedMessage[];
}

/** The time of Redis if a model has no clock. */
const NO_CLOCK_MS = 1_000_000;
const WRONG_TYPE = { err: 'WRONGTYPE Operation against a key holding the wrong kind of value' };
const SMALLER_ID = {
  err: 'ERR The ID specified in XADD is equal or smaller than the target stream top item',
};
const NOT_AN_INTEGER = { err: 'ERR hash value is not an integer' };

type Kind = 'hash' | 'stream' | 'zset' | 'string';
type ValueOf<K extends Kind> = Extract<StoredValue, Record<K, unknown>>;

/**
 * The commands that the models use, exactly as Redis runs them, on a keyspace that is changed in place.
 * `stand-in.test.ts` compares it with a real Redis. It throws for any other command, option or number of arguments.
 * @param history  the `master_replid` of this Redis
 * @param nowMs  its time
 */
export function createStandIn(keyspace: Keyspace, history: string, nowMs = NO_CLOCK_MS): StandIn {
  const published: PublishedMessage[] = [];
  const commands: Record<string, (...args: string[]) => RedisReply> = {
    DEL: (...keys) => removeKeys(keyspace, keys),
    EXISTS: (...keys) => keys.filter((key) => key in keyspace).length,
    TIME: () => [String(Math.floor(nowMs / 1_000)), String((nowMs % 1_000) * 1_000)],
    INFO: (section) => (section === 'replication' ? `# Replication\r\nmaster_replid:${history}\r\n` : ''),
    PUBLISH: (channel, message) => {
      published.push({ channel, message });
      return 1;
    },
    ...hashCommands(keyspace),
    ...streamCommands(keyspace),
    ...sortedSetCommands(keyspace),
    ...stringCommands(keyspace, nowMs),
  };
  return {
    published,
    command(name = '', ...args) {
      const run = commands[name];
      if (!run) throw new Error(`the stand-in of Redis has no ${name}`);
      removeExpired(keyspace, nowMs);
      return run(...args);
    },
  };
}

function removeExpired(keyspace: Keyspace, nowMs: number): void {
  for (const [key, value] of Object.entries(keyspace))
    if ('string' in value && value.expiresAt !== undefined && value.expiresAt <= nowMs)
      Reflect.deleteProperty(keyspace, key);
}

/** Strings, and lifetimes. */
function stringCommands(
  keyspace: Keyspace,
  nowMs: number,
): Record<string, (...args: string[]) => RedisReply> {
  return {
    GET: (key = '') =>
      withValue(keyspace, { key, kind: 'string', empty: { string: '' } }, ({ string }) =>
        key in keyspace ? string : null,
      ),
    SET: (key = '', string = '', unit = '', lifetime = '') => {
      const unitMs = { EX: 1_000, PX: 1 }[unit];
      if (unitMs === undefined) throw new Error('SET needs EX or PX');
      keyspace[key] = { string, expiresAt: nowMs + unitMs * Number(lifetime) };
      return 'OK';
    },
    PTTL: (key = '') => {
      const value = keyspace[key];
      if (!value) return -2;
      return 'string' in value && value.expiresAt !== undefined ? value.expiresAt - nowMs : -1;
    },
    PEXPIRE: (key = '', lifetimeMs = '') => {
      const value = keyspace[key];
      if (value && 'string' in value) value.expiresAt = nowMs + Number(lifetimeMs);
      return Number(value !== undefined);
    },
  };
}

function removeKeys(keyspace: Keyspace, keys: readonly string[]): number {
  let removed = 0;
  for (const key of keys) {
    if (key in keyspace) removed += 1;
    Reflect.deleteProperty(keyspace, key);
  }
  return removed;
}

/** Calls `run` with the value of a key, or `empty` for a missing key. */
function withValue<K extends Kind>(
  keyspace: Keyspace,
  { key, kind, empty }: { key: string; kind: K; empty: ValueOf<K> },
  run: (value: ValueOf<K>) => RedisReply,
): RedisReply {
  const value = keyspace[key] ?? empty;
  return kind in value ? run(value as ValueOf<K>) : WRONG_TYPE;
}

function hashCommands(keyspace: Keyspace): Record<string, (...args: string[]) => RedisReply> {
  const on = (key: string, run: (hash: Record<string, string>) => RedisReply) =>
    withValue(keyspace, { key, kind: 'hash', empty: { hash: {} } }, ({ hash }) => run(hash));
  return {
    HGET: (key = '', name = '') => on(key, (hash) => hash[name] ?? null),
    HMGET: (key = '', ...names) => on(key, (hash) => names.map((name) => hash[name] ?? null)),
    HSET: (key = '', ...pairs) =>
      on(key, (hash) => {
        let added = 0;
        for (let i = 0; i < pairs.length; i += 2) {
          const [name = '', value = ''] = pairs.slice(i, i + 2);
          if (!(name in hash)) added += 1;
          hash[name] = value;
        }
        keyspace[key] = { hash };
        return added;
      }),
    HGETALL: (key = '') => on(key, (hash) => Object.entries(hash).flat()),
    HINCRBY: (key = '', name = '', by = '') =>
      on(key, (hash) => {
        const old = hash[name] ?? '0';
        if (!/^(0|-?[1-9]\d{0,14})$/.test(old)) return NOT_AN_INTEGER;
        hash[name] = String(Number(old) + Number(by));
        keyspace[key] = { hash };
        return Number(hash[name]);
      }),
  };
}

function streamCommands(keyspace: Keyspace): Record<string, (...args: string[]) => RedisReply> {
  const on = (key: string, run: (value: ValueOf<'stream'>) => RedisReply) =>
    withValue(keyspace, { key, kind: 'stream', empty: { stream: [], last: '0-0' } }, run);
  return {
    XADD: (key = '', maxlen = '', equals = '', max = '', id = '', ...fields) => {
      if (maxlen !== 'MAXLEN' || equals !== '=') throw new Error('XADD needs MAXLEN =');
      return on(key, ({ stream, last }) => {
        if (compareIds(id, last) <= 0) return SMALLER_ID;
        const kept = [...stream, [id, ...fields] satisfies [string, ...string[]]].slice(-Number(max));
        keyspace[key] = { stream: kept, last: id };
        return id;
      });
    },
    XRANGE: (key = '', from = '', to = '') => {
      if (to !== '+') throw new Error('XRANGE needs + as its end');
      return on(key, ({ stream }) =>
        stream.filter(([id]) => compareIds(id, from) >= 0).map(([id, ...fields]) => [id, fields]),
      );
    },
  };
}

function compareIds(a: string, b: string): number {
  const [[aMs, aCount], [bMs, bCount]] = [parseId(a), parseId(b)];
  return aMs - bMs || aCount - bCount;
}

function parseId(id: string): [ms: number, count: number] {
  const [ms, count] = id.split('-');
  return [Number(ms), Number(count)];
}

function sortedSetCommands(keyspace: Keyspace): Record<string, (...args: string[]) => RedisReply> {
  const on = (key: string, run: (zset: Record<string, number>) => RedisReply) =>
    withValue(keyspace, { key, kind: 'zset', empty: { zset: {} } }, ({ zset }) => {
      const reply = run(zset);
      if (Object.keys(zset).length > 0) keyspace[key] = { zset };
      else Reflect.deleteProperty(keyspace, key);
      return reply;
    });
  const removeFrom = (zset: Record<string, number>, members: readonly string[]): number => {
    for (const member of members) Reflect.deleteProperty(zset, member);
    return members.length;
  };
  return {
    ZADD: (key = '', score = '', member = '') =>
      on(key, (zset) => {
        const isNew = !(member in zset);
        zset[member] = Number(score);
        return Number(isNew);
      }),
    ZREM: (key = '', member = '') => on(key, (zset) => removeFrom(zset, member in zset ? [member] : [])),
    ZREMRANGEBYSCORE: (key = '', min = '', max = '') => {
      if (min !== '-inf') throw new Error('ZREMRANGEBYSCORE needs -inf as its start');
      return on(key, (zset) =>
        removeFrom(
          zset,
          Object.keys(zset).filter((member) => (zset[member] ?? 0) <= Number(max)),
        ),
      );
    },
  };
}
