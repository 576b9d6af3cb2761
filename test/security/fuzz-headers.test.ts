import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { until } from '../harness/until.ts';
import { API_KEY } from '../harness/world.ts';
import { type FuzzedApi, startFuzzedApi } from './fuzzed-api.ts';

let target: FuzzedApi;
beforeAll(async () => {
  target = await startFuzzedApi({ MAX_AUTH_FAILURES_PER_MINUTE: 1_000_000 });
}, 60_000);
afterAll(() => target.world.close());

const SOCKET = '/api/v1/internal/socket';
const OURS = new Set([200, 302, 400, 401, 403, 404, 405, 408, 413, 415, 417, 422, 429, 431, 501]);

const latin = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const words = (...known: string[]) => fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, latin);
const huge = fc.integer({ min: 1, max: 40_000 }).map((length) => 'h'.repeat(length));
const length = fc.oneof(
  fc.integer({ min: -5, max: 500 }).map(String),
  fc.constantFrom('0x10', '1e1', '+5', '5, 5', '5, 6', ' ', '99999999999999999999', '018', '5;'),
);

/** One header, by name. Of framing there may be more than one, which is what smuggling is made of. */
const header: fc.Arbitrary<[string, string]> = fc.oneof(
  fc.tuple(
    fc.constant('content-type'),
    words('application/json', 'text/plain', 'application/json; charset=utf-7', 'multipart/form-data'),
  ),
  fc.tuple(fc.constantFrom('content-length', 'Content-Length', 'content-length '), length),
  fc.tuple(
    fc.constantFrom('transfer-encoding', 'Transfer-Encoding', 'transfer-encoding\t'),
    words(
      'chunked',
      'chunked, chunked',
      'gzip, chunked',
      'identity',
      'xchunked',
      '\x0bchunked',
      'chunked;a=1',
    ),
  ),
  fc.tuple(fc.constant('content-encoding'), words('gzip', 'br', 'identity', 'deflate, gzip', '')),
  fc.tuple(fc.constant('idempotency-key'), fc.oneof(latin, huge)),
  fc.tuple(fc.constant('x-api-key'), fc.oneof(fc.constant(API_KEY), latin, huge)),
  fc.tuple(
    fc.constantFrom('traceparent', 'tracestate'),
    words('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'ff--', '00-0-0-0'),
  ),
  fc.tuple(
    fc.constant('authorization'),
    words('Bearer a.b.c', 'Bearer', 'Basic YTpi', 'Basic ====', 'bearer  x', 'Negotiate x'),
  ),
  fc.tuple(fc.constant('origin'), words('null', 'https://evil.example', 'http://localhost', '//')),
  fc.tuple(fc.constant('host'), words('a', 'localhost, evil', '[::1', 'a:b:c', '')),
  fc.tuple(fc.constant('x-forwarded-for'), words('::ffff:1.2.3.4', '%', '1.1.1.1, ,', 'unknown')),
  fc.tuple(fc.constant('expect'), words('100-continue', '200-ok')),
  fc.tuple(fc.constant('connection'), words('upgrade', 'close', 'keep-alive', 'host, x-api-key')),
  fc.tuple(fc.constant('upgrade'), words('websocket', 'h2c')),
  fc.tuple(fc.constantFrom('__proto__', 'constructor', 'x-long', '', 'a b'), fc.oneof(latin, huge)),
);
const headers = fc.oneof(
  { weight: 20, arbitrary: fc.array(header, { maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 100, max: 3_000 })
      .map((count) => Array.from({ length: count }, (_, index): [string, string] => [`x-${index}`, '1'])),
  },
);
/** None of them names an appointment that exists; some hold a second request, without a key. */
const body = fc.constantFrom(
  '',
  '{}',
  `{"appointmentId":"${'0'.repeat(24)}"}`,
  '5\r\n{"a":\r\n0\r\n\r\n',
  `0\r\n\r\nPOST ${SOCKET}/appointment-created HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}`,
  'ffffffffffffffff1\r\n{}',
);
const request = fc.record({
  method: fc.constantFrom('POST', 'POST', 'GET', 'HEAD', 'OPTIONS', 'PUT', 'CONNECT', 'TRACE', 'post'),
  path: fc.constantFrom(
    `${SOCKET}/appointment-created`,
    `${SOCKET}/batch`,
    `${SOCKET}/emissions/x`,
    '/api/v1/dashboard/appointments',
    '/admin/api/overview',
    '/admin/queues',
    '/socket.io/?EIO=4&transport=polling',
    '/socket.io/?EIO=4&transport=websocket',
    '/metrics',
    '*',
    'http://evil.example/metrics',
  ),
  headers,
  body,
});

/** The whole reply until the connection ends; our side ends it at once after the request. */
function sendRaw(bytes: string): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(target.api.url).port), 'localhost', () => {
      socket.end(Buffer.from(bytes, 'latin1'));
    });
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(text);
    });
  });
  return until(`an answer to ${JSON.stringify(bytes.slice(0, 300))}`, answer);
}

const lengths = (all: readonly [string, string][]) =>
  all.filter(([name]) => name.toLowerCase() === 'content-length').map(([, value]) => value);
/** Two servers might disagree on where such a request ends. */
function isAmbiguous(all: readonly [string, string][]): boolean {
  const isChunked = all.some(
    ([name, value]) => name.toLowerCase() === 'transfer-encoding' && value === 'chunked',
  );
  return (isChunked && lengths(all).length > 0) || lengths(all).length > 1;
}

async function throwAt(runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, headers: all, body: sent }) => {
      const head = all.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const answer = await sendRaw(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${head}\r\n${sent}`);
      const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      for (const status of statuses) if (status !== 100) expect(OURS).toContain(status);
      if (isAmbiguous(all)) expect([400, 431, undefined]).toContain(statuses[0]);
      expect(answer).not.toMatch(/node_modules|at .*\.ts/);
    }),
    { numRuns: runs, interruptAfterTimeLimit: 12_000 },
  );
}

test('random headers and framing get a documented answer, and the process keeps working', async () => {
  await throwAt(150);
  await target.warm();
  await throwAt(600);
  await target.expectUnharmed();
}, 90_000);
