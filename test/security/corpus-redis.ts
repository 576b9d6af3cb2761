import type { RedisClient } from '../../src/redis/connect.ts';
import { INVALID_POSITIONS } from '../realtime/invalid-positions.ts';
import type { BadFrame } from './corpus.ts';

/** Positions that a client sends after another program wrote them: each is answered, none ends the connection. */
export const POSITION_FRAMES: readonly BadFrame[] = INVALID_POSITIONS.map(([what, position]) => ({
  what: `a catch-up from ${what}`,
  packet: `21["emissions:catch-up",${JSON.stringify(position)}]`,
  then: 'ignored',
}));

type Write = (redis: RedisClient, key: string) => Promise<unknown>;
const text =
  (value: string | Buffer): Write =>
  (redis, key) =>
    redis.set(key, value, 'EX', 60);
const HASH = 'a'.repeat(32);

/** The whole record of an Idempotency-Key: it is damaged, so its request is accepted again, as a new emission. */
export const DAMAGED_IDEMPOTENCY: readonly [what: string, write: Write][] = [
  ['text', text('garbage')],
  ['nothing', text('')],
  ['the word done', text('done')],
  ['done without a nonce', text(`done ${HASH}`)],
  ['done without items', text(`done ${HASH} ${HASH}`)],
  ['done with items that are no bits', text(`done ${HASH} ${HASH} all`)],
  ['done with another field', text(`done ${HASH} ${HASH} 80 x`)],
  ['done in capitals', text(`DONE ${HASH} ${HASH} 80`)],
  ['a line end', text(`done ${HASH} ${HASH} 80\n`)],
  ['another state', text(`lost ${HASH} ${HASH} 80`)],
  ['an answer', text('{"status":202,"emissionId":"x"}')],
  ['an end that is no number', text('busy aa bb cc soon 00')],
  ['an end below 0', text('busy aa bb cc -1 00')],
  ['an end with an exponent', text('busy aa bb cc 1e99 00')],
  ['bytes', text(Buffer.from([0, 255, 1]))],
  ['a huge text', text('x'.repeat(1_000_000))],
  ['a list', (redis, key) => redis.rpush(key, 'done')],
  ['a set', (redis, key) => redis.sadd(key, 'done')],
  ['a sorted set', (redis, key) => redis.zadd(key, 1, 'done')],
  ['a hash', (redis, key) => redis.hset(key, 'done', '1')],
  ['a stream', (redis, key) => redis.xadd(key, '*', 'done', '1')],
];

/** A record that can be parsed, and whose request is under way by no process: it is accepted again. */
export const ENDED_IDEMPOTENCY: readonly [what: string, write: Write][] = [
  ['an end in 1970', text('busy aa bb cc 0 00')],
  ['an end in the year 5138', text('busy aa bb cc 99999999999999 00')],
  ['an end beyond every number', text(`busy aa bb cc ${'9'.repeat(400)} 00`)],
  ['an open request of another body', text('open aa bb ff')],
];

/** The record of a job, as another program left it: its timeline is answered, never with a server error. */
export const DAMAGED_JOBS: readonly [what: string, write: Write][] = [
  ['data that is no JSON', (redis, key) => redis.hset(key, 'name', 'x', 'data', 'garbage')],
  ['data that is null', (redis, key) => redis.hset(key, 'name', 'x', 'data', 'null')],
  ['data of numbers', (redis, key) => redis.hset(key, 'name', 'x', 'data', '{"appointmentId":5}')],
  ['options that are no JSON', (redis, key) => redis.hset(key, 'name', 'x', 'data', '{}', 'opts', 'garbage')],
  ['no name', (redis, key) => redis.hset(key, 'data', '{}')],
  ['a time that is text', (redis, key) => redis.hset(key, 'name', 'x', 'data', '{}', 'timestamp', 'x')],
  [
    'stack traces that are a number',
    (redis, key) => redis.hset(key, 'name', 'x', 'data', '{}', 'stacktrace', '1'),
  ],
  [
    'a result that is no JSON',
    (redis, key) => redis.hset(key, 'name', 'x', 'data', '{}', 'returnvalue', '{'),
  ],
  ['a parent that is no JSON', (redis, key) => redis.hset(key, 'name', 'x', 'data', '{}', 'parent', '{')],
  ['text', text('garbage')],
  ['a list', (redis, key) => redis.rpush(key, 'garbage')],
  ['a stream', (redis, key) => redis.xadd(key, '*', 'garbage', 'x')],
];
