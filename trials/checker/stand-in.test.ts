import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { eventually } from '../../test/harness/until.ts';
import { createLuaMachine, isError, type RedisReply } from './lua-machine.ts';
import { createStandIn, type Keyspace } from './redis-stand-in.ts';

/**
 * The checks trust the stand-in of Redis and the Lua machine. Here both get the same commands and scripts as a real Redis,
 * with random arguments, and must give the same replies.
 */
let redis: Redis;
let subscriber: Redis;
let history: string;
beforeAll(async () => {
  redis = new Redis(process.env['TEST_REDIS_URL']!, { replyMapping: 'legacy' });
  subscriber = new Redis(process.env['TEST_REDIS_URL']!, { replyMapping: 'legacy' });
  history = /master_replid:(\w+)/.exec(await redis.info('replication'))![1]!;
});
afterAll(() => {
  redis.disconnect();
  subscriber.disconnect();
});

const RUNS = { numRuns: 300, interruptAfterTimeLimit: 4_000 };
const tag = (): string => `{check-${randomBytes(6).toString('hex')}}`;

type Command = string[];
const oneOf = (...values: string[]) => fc.constantFrom(...values);
const key = oneOf('a', 'b');
const field = oneOf('token', 'offset', 'epoch');
const value = oneOf('1', '7', 'x', '');
const member = oneOf('m', 'n');
const streamId = fc.nat({ max: 6 }).map((id) => `${id + 1}-0`);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(oneOf('DEL', 'EXISTS'), key, key).map((parts) => [...parts]),
  fc.tuple(oneOf('PEXPIRE'), key, oneOf('100000', '2592000000')).map((parts) => [...parts]),
  fc.tuple(key, field, value, field, value).map((parts) => ['HSET', ...parts]),
  fc.tuple(key, field).map((parts) => ['HGET', ...parts]),
  fc.tuple(key, field, field).map((parts) => ['HMGET', ...parts]),
  fc.tuple(key, field).map((parts) => ['HINCRBY', ...parts, '1']),
  fc
    .tuple(key, oneOf('1', '3'), streamId, value)
    .map(([at, max, id, text]) => ['XADD', at, 'MAXLEN', '=', max, id, 'event', text]),
  fc.tuple(key, streamId).map(([at, from]) => ['XRANGE', at, from, '+']),
  fc.tuple(key, value).map(([at, text]) => ['SET', at, text, 'PX', '100000']),
  fc.tuple(oneOf('GET', 'HGETALL'), key).map((parts) => [...parts]),
  fc.tuple(key, oneOf('1', '5'), member).map((parts) => ['ZADD', ...parts]),
  fc.tuple(key, member).map((parts) => ['ZREM', ...parts]),
  fc.tuple(key, oneOf('1', '5', '-3')).map(([at, max]) => ['ZREMRANGEBYSCORE', at, '-inf', max]),
);

/** Replies of a real Redis to commands whose keys begin with a tag. */
async function realReplies(commands: readonly Command[], prefix: string): Promise<RedisReply[]> {
  const pipeline = redis.pipeline(
    commands.map(([name, ...args]) => [name!.toLowerCase(), ...withPrefix(name!, args, prefix)]),
  );
  const results = await pipeline.exec();
  return results!.map(([error, reply]) => (error ? { err: error.message } : toReply(reply)));
}

/** The client makes an object of the reply to HGETALL. */
const toReply = (reply: unknown): RedisReply =>
  typeof reply === 'object' && reply !== null && !Array.isArray(reply)
    ? (Object.entries(reply).flat() as RedisReply)
    : (reply as RedisReply);

function withPrefix(name: string, args: readonly string[], prefix: string): string[] {
  const keys = name === 'DEL' || name === 'EXISTS' ? args.length : 1;
  return args.map((arg, index) => (index < keys ? prefix + arg : arg));
}

test('the stand-in of Redis replies to random commands as a real Redis does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40, size: 'max' }), async (commands) => {
      const prefix = tag();
      const standIn = createStandIn({}, history);
      const ours = commands.map(([name, ...args]) =>
        standIn.command(name!, ...withPrefix(name!, args, prefix)),
      );
      expect(ours).toEqual(await realReplies(commands, prefix));
    }),
    RUNS,
  );
});

test('a command or an option that the stand-in does not have is an error', () => {
  const { command: run } = createStandIn({}, history);
  expect(() => run('LPUSH', 'a')).toThrow('the stand-in of Redis has no LPUSH');
  expect(() => run('SET', 'a', 'b')).toThrow('SET needs EX or PX');
  expect(() => run('XADD', 'a', 'MAXLEN', '~', '1', '1-0', 'f', 'v')).toThrow('XADD needs MAXLEN =');
});

const read = (name: string) => readFileSync(new URL(`../../src/${name}.lua`, import.meta.url), 'utf8');
const before = () => read('redis/current-history') + read('emission/scripts/position');
const sourceOf = (name: string) => before() + read(`emission/scripts/${name}`);

const id16 = (text: string): string => text.padEnd(16, '0');
const token = oneOf(...['fresh', 'second', 'third'].map(id16));
const epoch = oneOf(...['epoch-a', 'epoch-b'].map(id16));
const freshEpoch = oneOf(...['epoch-c', 'epoch-a'].map(id16));
const lifetimes = ['2592000000', '86400000', '172800000'] as const;

/** A script with its arguments, or a command that damages a key. Keys are without the tag. */
type Call = { script: string; keys: string[]; args: string[] } | { damage: Command };
const appointments = fc.subarray(['order:1', 'order:2'], { minLength: 1 });
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ orders: appointments, fresh: freshEpoch, random: token }).map(({ orders, fresh, random }) => ({
    script: 'claim',
    keys: ['position', 'log', ...orders],
    args: [fresh, lifetimes[0], lifetimes[2], random],
  })),
  fc
    .record({ orders: appointments, fresh: freshEpoch, readId: token, claimed: token, of: epoch })
    .map(({ orders, fresh, readId, claimed, of }) => ({
      script: 'confirm',
      keys: ['position', 'log', ...orders],
      args: [readId, fresh, lifetimes[0], lifetimes[2], ...orders.map(() => claimed), of],
    })),
  fc
    .record({
      orders: appointments,
      fresh: freshEpoch,
      readId: token,
      claimed: token,
      of: epoch,
      event: oneOf('updated', 'deleted'),
      emissionId: oneOf('e1', 'e2'),
      isRepeated: oneOf('0', '1'),
    })
    .map(({ orders, fresh, readId, claimed, of, event, emissionId, isRepeated }) => ({
      script: 'publish',
      keys: ['position', 'log', ...orders, 'published'],
      args: [
        ...[readId, fresh, ...lifetimes, '2', 'CHANNEL', of],
        ...orders.flatMap((order) => [
          claimed,
          `appointment:${event}`,
          order,
          emissionId,
          '5',
          'scheduled',
          'r',
          'd',
          'head',
          'tail',
          isRepeated,
        ]),
      ],
    })),
  fc
    .record({
      fresh: freshEpoch,
      of: fc.oneof(epoch, fc.constant('')),
      from: fc.nat({ max: 4 }),
      max: oneOf('1', '9'),
    })
    .map(({ fresh, of, from, max }) => ({
      script: 'log-after',
      keys: ['position', 'log'],
      args: [fresh, lifetimes[0], of, String(from), max],
    })),
  fc
    .constantFrom<Command>(
      ['DEL', 'position'],
      ['DEL', 'log'],
      ['DEL', 'order:1'],
      ['HSET', 'position', 'offset', 'x', 'read', '1'],
      ['XADD', 'log', 'MAXLEN', '=', '9', '5-0', 'event', 'x'],
      ['XADD', 'order:1', 'MAXLEN', '=', '9', '5-0', 'event', 'x'],
      ['HSET', 'published', 'a', 'b', 'c', 'd'],
    )
    .map((damage) => ({ damage })),
);

test('the scripts give the same replies and publish the same messages on the Lua machine and on a real Redis', async () => {
  const runLua = createLuaMachine();
  const published: string[] = [];
  subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) =>
    published.push(message.toString('latin1')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 30, size: 'max' }), async (calls) => {
      const prefix = tag();
      await subscriber.subscribe(prefix);
      published.length = 0;
      const keyspace: Keyspace = {};
      const standIn = createStandIn(keyspace, history);
      for (const one of calls) {
        if ('damage' in one) {
          const [name, ...args] = one.damage;
          const ours = standIn.command(name!, ...withPrefix(name!, args, prefix));
          expect([ours]).toEqual(await realReplies([one.damage], prefix));
          continue;
        }
        const source = sourceOf(one.script);
        const keys = one.keys.map((name) => prefix + name);
        const args = one.args.map((arg) => (arg === 'CHANNEL' ? prefix : arg));
        const ours = runOrError(() => runLua(source, keys, args, standIn.command));
        const real = await redis.eval(source, keys.length, ...keys, ...args).then(
          (reply) => reply as RedisReply,
          (error: unknown) => ({ err: (error as Error).message }),
        );
        expect({ ...one, reply: comparable(ours) }).toEqual({ ...one, reply: comparable(real) });
      }
      await eventually('all messages to arrive', () => published.length >= standIn.published.length);
      expect(published).toEqual(standIn.published.map(({ message }) => message));
      await subscriber.unsubscribe(prefix);
    }),
    RUNS,
  );
});

const record = fc.oneof(
  fc.constant(''),
  fc
    .tuple(oneOf('open', 'done'), oneOf('aa', 'bb'), oneOf('11', '22'))
    .map((parts) => [...parts, '80'].join(' ')),
);
const owner = oneOf('11', '22');
/** Calls of the scripts that keep records of requests, and leases. The lifetimes are long, or over. */
const recordCall: fc.Arbitrary<{ script: string; keys: string[]; args: string[] }> = fc.oneof(
  fc
    .record({ body: oneOf('aa', 'bb'), id: owner, busyMs: oneOf('100000', '-1000') })
    .map(({ body, id, busyMs }) => ({
      script: 'accept/take-idempotency-key',
      keys: ['record'],
      args: ['100', busyMs, body, id],
    })),
  fc.record({ of: owner, text: record }).map(({ of, text }) => ({
    script: 'accept/update-idempotency-key',
    keys: ['record'],
    args: [of, '100', text],
  })),
  record.map((text) => ({ script: 'accept/finish-idempotency-key', keys: ['record'], args: ['100', text] })),
  owner.map((of) => ({ script: 'redis/acquire-lease', keys: ['lock'], args: [of, '100000'] })),
  fc
    .record({ of: owner, ms: oneOf('100000', '-1'), fields: fc.subarray(['a', 'b']) })
    .map(({ of, ms, fields }) => ({
      script: 'redis/save-under-lease',
      keys: ['lock', 'saved'],
      args: [of, ms, 'HISTORY', ...fields.flatMap((name) => [name, '1'])],
    })),
);

test('the scripts of records and leases give the same replies on the Lua machine and on a real Redis', async () => {
  const runLua = createLuaMachine();
  await fc.assert(
    fc.asyncProperty(fc.array(recordCall, { minLength: 5, maxLength: 30, size: 'max' }), async (calls) => {
      const prefix = tag();
      const keyspace: Keyspace = {};
      for (const { script, ...one } of calls) {
        const source = (script.startsWith('redis') ? read('redis/current-history') : '') + read(script);
        const keys = one.keys.map((name) => prefix + name);
        const args = one.args.map((arg) => (arg === 'HISTORY' ? history : arg));
        const { command: run } = createStandIn(keyspace, history, Date.now());
        const ours = runOrError(() => runLua(source, keys, args, run));
        const real = (await redis.eval(source, keys.length, ...keys, ...args)) as RedisReply;
        expect({ script, args, reply: withoutTimes(ours) }).toEqual({
          script,
          args,
          reply: withoutTimes(real),
        });
      }
    }),
    RUNS,
  );
});

/** The two servers run a script at slightly different times. */
const withoutTimes = (reply: RedisReply): string => JSON.stringify(reply).replace(/\b\d{13}\b/g, 'time');

function runOrError(run: () => RedisReply): RedisReply {
  try {
    return run();
  } catch (error) {
    return { err: (error as Error).message };
  }
}

/** Errors have the line of the script, or not. */
function comparable(reply: RedisReply): RedisReply {
  return isError(reply) ? { err: reply.err.split(' script:')[0] ?? '' } : reply;
}
