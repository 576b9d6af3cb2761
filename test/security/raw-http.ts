import { connect } from 'node:net';
import fc from 'fast-check';
import { until } from '../harness/until.ts';
import { API_KEY } from '../harness/world.ts';

/** Any bytes, as latin1 text. */
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
export const headers = fc.oneof(
  { weight: 20, arbitrary: fc.array(header, { maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 100, max: 3_000 })
      .map((count) => Array.from({ length: count }, (_, index): [string, string] => [`x-${index}`, '1'])),
  },
);
/** The whole reply until the connection ends; our side ends it at once after the request. */
export function sendRaw(url: string, bytes: string): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(url).port), 'localhost', () => {
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
export function isAmbiguous(all: readonly [string, string][]): boolean {
  const isChunked = all.some(
    ([name, value]) => name.toLowerCase() === 'transfer-encoding' && value === 'chunked',
  );
  return (isChunked && lengths(all).length > 0) || lengths(all).length > 1;
}
