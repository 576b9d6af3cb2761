import { beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { causeOf, errorMessage } from '../../src/errors.ts';
import { createOutageLog } from '../../src/process/outage-log.ts';
import { createThrottledLog } from '../../src/process/throttled-log.ts';

interface Line {
  level: number;
  msg: string;
  error?: string;
  times?: number;
  attempts?: number;
  downMs?: number;
  emissionId?: string;
}

let now: number;
let lines: Line[];
const logger = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) });
const shown = () => lines.filter(({ level }) => level > 20);
beforeEach(() => {
  now = 0;
  lines = [];
});

const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

test('a repeated event is logged at once, and then every 30 s with the number of times', () => {
  const log = createThrottledLog(logger, 'a server is away', { now: () => now });
  for (; now <= 60_000; now += 100) log({ emissionId: `e${now}` }, refused());
  expect(shown().map(({ emissionId, times }) => [emissionId, times])).toEqual([
    ['e0', 1],
    ['e30000', 300],
    ['e60000', 300],
  ]);
  expect(lines).toHaveLength(601);
});

test('another cause of the same event has its own line', () => {
  const log = createThrottledLog(logger, 'queue error', { now: () => now });
  log({}, new Error('MISCONF Redis is configured to save RDB snapshots'));
  log({}, new Error('OOM command not allowed when used memory > maxmemory'));
  log({}, new Error('MISCONF Redis is configured to save RDB snapshots, again'));
  expect(shown().map(({ error }) => error?.slice(0, 4))).toEqual(['MISC', 'OOM ']);
});

test('errors without a code are of one cause only if their messages agree, except for numbers, ids and quoted texts', () => {
  const log = createThrottledLog(logger, 'request failed', { now: () => now });
  log({}, new Error('companyOf failed: the session has no user'));
  log({}, new Error('cannot read the list'));
  log({}, new TypeError('cannot read the list'));
  for (const id of ['65f0c0ffee65f0c0ffee00c0', '65f0c0ffee65f0c0ffee00c1'])
    log({}, new Error(`no pet ${id}`));
  for (const name of ['"a"', "'b'"]) log({}, new Error(`unknown field ${name} after 12.5 ms`));
  expect(shown().map(({ error }) => error)).toEqual([
    'companyOf failed: the session has no user',
    'cannot read the list',
    'cannot read the list',
    'no pet 65f0c0ffee65f0c0ffee00c0',
    'unknown field "a" after 12.5 ms',
  ]);
});

test('different errors do not fill the log or the memory', () => {
  const log = createThrottledLog(logger, 'request failed', { now: () => now });
  const word = (n: number) => String(n).replace(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));
  for (let n = 0; n < 1_000; n += 1) log({}, new Error(`fault ${word(n)}`));
  expect(shown()).toHaveLength(101);
  now += 30_000;
  log({}, new Error('another fault'));
  expect(shown().at(-1)).toMatchObject({ error: 'another fault', times: 1 });
});

function outageLog() {
  return createOutageLog({ logger, lost: 'redis unavailable', restored: 'redis back', now: () => now });
}

test('an outage has one line when it begins, reminders, and one line when all connections work again', () => {
  const log = outageLog();
  for (; now < 45_000; now += 500) {
    log.failed('requests', refused());
    log.failed('subscription', refused());
  }
  log.works('requests');
  log.works('subscription');
  log.works('subscription');
  expect(shown().map(({ msg, attempts, downMs }) => [msg, attempts, downMs])).toEqual([
    ['redis unavailable', 1, 0],
    ['redis unavailable', 120, 30_000],
    ['redis back', undefined, 45_000],
  ]);
});

test('a second outage has its own lines; a connection that flaps has none', () => {
  const log = outageLog();
  for (; now < 10_000; now += 100) {
    log.failed('requests', refused());
    log.works('requests');
  }
  expect(shown().map(({ msg }) => msg)).toEqual(['redis unavailable', 'redis back']);
  now += 10_000;
  log.failed('requests', refused());
  expect(shown()).toHaveLength(3);
});

test.each([
  [new AggregateError([refused(), refused()]), 'connect ECONNREFUSED'],
  [Object.assign(new Error(''), { code: 'ECONNRESET' }), 'ECONNRESET'],
  [new Error('', { cause: new Error('why') }), 'why'],
  [new TypeError(''), 'TypeError'],
  ['', 'unknown error'],
])('a reason is never empty: %p', (error, reason) => {
  expect(errorMessage(error)).toBe(reason);
});

test.each([
  [Object.assign(new AggregateError([refused()]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  [new Error('WRONGPASS invalid username-password pair'), 'WRONGPASS'],
  [new Error('x', { cause: refused() }), 'ECONNREFUSED'],
  [new RangeError('connection 17 timed out'), 'RangeError'],
])('the cause of %p is %s', (error, cause) => {
  expect(causeOf(error)).toBe(cause);
});
