import { ADDRESS_REQUESTS } from './corpus-addresses.ts';
import { CLOCK_FRAMES } from './corpus-clocks.ts';
import { BAD_DATES } from './corpus-dates.ts';
import { LIMIT_FRAMES, LIMIT_REQUESTS } from './corpus-limits.ts';
import { POSITION_FRAMES } from './corpus-redis.ts';

/**
 * Bad requests, handshakes and frames, with the answer that each must get. All name an appointment that exists
 * (`GOOD_ID`): what slips through would be enqueued.
 */
export const GOOD_ID = '5'.repeat(24);
const KEY = 'test-key-0123456789-0123456789-0123456789';

export interface BadRequest {
  what: string;
  method?: string;
  path: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
  status: number;
  /** Of the problem; none where Node or Socket.IO itself answers. */
  code?: string;
}

/** What a dashboard that is let in sends as a Socket.IO packet: ignored, or the connection is closed. */
export interface BadFrame {
  what: string;
  packet: string;
  then: 'ignored' | 'closed';
}

const SOCKET = '/api/v1/internal/socket';
const CREATED = `${SOCKET}/appointment-created`;
const BATCH = `${SOCKET}/batch`;
const LIST = '/api/v1/dashboard/appointments';
const json = { 'content-type': 'application/json' };
const keyed = { ...json, 'x-api-key': KEY };
const good = JSON.stringify({ appointmentId: GOOD_ID });
/** JSON of an object that neither compares with a number nor becomes a text. */
export const NO_NUMBER = '{"toString":1,"valueOf":1}';
const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

/** Bodies for a single route, with the right key. */
const bodies: [what: string, body: string | Buffer, status: number, code: string][] = [
  ['nothing in an object', '{}', 400, 'INVALID_APPOINTMENT_ID'],
  ['null', 'null', 400, 'MALFORMED_JSON'],
  ['an array', `[${good}]`, 400, 'INVALID_REQUEST'],
  ['a number', '1e400', 400, 'MALFORMED_JSON'],
  ['a truncated object', good.slice(0, -1), 400, 'MALFORMED_JSON'],
  ['two objects', good + good, 400, 'MALFORMED_JSON'],
  ['single quotes', `{'appointmentId':'${GOOD_ID}'}`, 400, 'MALFORMED_JSON'],
  ['a comment', `{/**/"appointmentId":"${GOOD_ID}"}`, 400, 'MALFORMED_JSON'],
  ['NaN', '{"appointmentId":NaN}', 400, 'MALFORMED_JSON'],
  ['a number too large', '{"appointmentId":1e999}', 400, 'INVALID_APPOINTMENT_ID'],
  ['an id as a number', `{"appointmentId":${GOOD_ID}}`, 400, 'INVALID_APPOINTMENT_ID'],
  ['an operator', '{"appointmentId":{"$gt":""}}', 400, 'INVALID_APPOINTMENT_ID'],
  ['a regular expression', '{"appointmentId":{"$regex":".*"}}', 400, 'INVALID_APPOINTMENT_ID'],
  ['code for $where', '{"appointmentId":{"$where":"sleep(9)"}}', 400, 'INVALID_APPOINTMENT_ID'],
  ['an id in an array', `{"appointmentId":["${GOOD_ID}"]}`, 400, 'INVALID_APPOINTMENT_ID'],
  ['12 bytes as an id', '{"appointmentId":"abcdefghijkl"}', 400, 'INVALID_APPOINTMENT_ID'],
  ['an id with a NUL', `{"appointmentId":"${GOOD_ID.slice(1)}\\u0000"}`, 400, 'INVALID_APPOINTMENT_ID'],
  ['digits of full width', `{"appointmentId":"${'５'.repeat(24)}"}`, 400, 'INVALID_APPOINTMENT_ID'],
  ['an id with spaces', `{"appointmentId":" ${GOOD_ID} "}`, 400, 'INVALID_APPOINTMENT_ID'],
  ['a key twice', `{"appointmentId":"${GOOD_ID}","appointmentId":{"$ne":1}}`, 400, 'INVALID_APPOINTMENT_ID'],
  ['__proto__ with the id', `{"__proto__":${good}}`, 400, 'INVALID_APPOINTMENT_ID'],
  ['__proto__ beside the id', `{"appointmentId":"${GOOD_ID}","__proto__":{"x":1}}`, 400, 'INVALID_REQUEST'],
  [
    'constructor beside the id',
    `{"appointmentId":"${GOOD_ID}","constructor":{"prototype":{}}}`,
    400,
    'INVALID_REQUEST',
  ],
  ['toString as a field', `{"appointmentId":"${GOOD_ID}","toString":1}`, 400, 'INVALID_REQUEST'],
  ['another company', `{"appointmentId":"${GOOD_ID}","companyId":"${GOOD_ID}"}`, 400, 'INVALID_REQUEST'],
  ['an id of the job', `{"appointmentId":"${GOOD_ID}","emissionId":"x"}`, 400, 'INVALID_REQUEST'],
  ['depth beside the id', `{"appointmentId":"${GOOD_ID}","a":${deep(500)}}`, 400, 'INVALID_REQUEST'],
  ['depth as the id', `{"appointmentId":${deep(600)}}`, 400, 'INVALID_APPOINTMENT_ID'],
  ['open brackets', '['.repeat(4_000), 400, 'MALFORMED_JSON'],
  ['5 kB', JSON.stringify({ appointmentId: 'a'.repeat(5_000) }), 413, 'PAYLOAD_TOO_LARGE'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400, 'MALFORMED_JSON'],
  ['UTF-16', Buffer.from(good, 'utf16le'), 400, 'MALFORMED_JSON'],
  ['NULs', Buffer.alloc(100), 400, 'MALFORMED_JSON'],
];

/** Bodies for the batch route. */
const batches: [what: string, body: string, status: number, code: string][] = [
  ['no emissions', '{}', 400, 'INVALID_REQUEST'],
  ['an empty list', '{"emissions":[]}', 400, 'INVALID_REQUEST'],
  ['an object for a list', '{"emissions":{"length":1,"0":{}}}', 400, 'INVALID_REQUEST'],
  ['text for a list', `{"emissions":"${GOOD_ID}"}`, 400, 'INVALID_REQUEST'],
  ['1,001 items', JSON.stringify({ emissions: Array(1_001).fill(1) }), 400, 'INVALID_REQUEST'],
  ['130 kB', JSON.stringify({ emissions: ['a'.repeat(133_000)] }), 413, 'PAYLOAD_TOO_LARGE'],
  ['an unknown field', '{"emissions":[1],"companyId":"x"}', 400, 'INVALID_REQUEST'],
  ['__proto__', '{"emissions":[1],"__proto__":{}}', 400, 'INVALID_REQUEST'],
  ['a list at the top', '[{}]', 400, 'INVALID_REQUEST'],
];

export const REQUESTS: readonly BadRequest[] = [
  ...BAD_DATES,
  ...LIMIT_REQUESTS,
  ...ADDRESS_REQUESTS,
  ...bodies.map(([what, body, status, code]) => ({
    what: `a body of ${what}`,
    method: 'POST',
    path: CREATED,
    headers: keyed,
    body,
    status,
    code,
  })),
  ...batches.map(([what, body, status, code]) => ({
    what: `a batch of ${what}`,
    method: 'POST',
    path: BATCH,
    headers: keyed,
    body,
    status,
    code,
  })),

  // The key
  {
    what: 'no key',
    method: 'POST',
    path: CREATED,
    headers: json,
    body: good,
    status: 401,
    code: 'API_KEY_MISSING',
  },
  {
    what: 'an empty key',
    method: 'POST',
    path: CREATED,
    headers: { ...json, 'x-api-key': '' },
    body: good,
    status: 401,
    code: 'API_KEY_MISSING',
  },
  {
    what: 'the key in the query',
    method: 'POST',
    path: `${CREATED}?x-api-key=${KEY}`,
    headers: json,
    body: good,
    status: 401,
    code: 'API_KEY_MISSING',
  },
  {
    what: 'the key in a cookie',
    method: 'POST',
    path: CREATED,
    headers: { ...json, cookie: `x-api-key=${KEY}` },
    body: good,
    status: 401,
    code: 'API_KEY_MISSING',
  },
  {
    what: 'the key as a bearer',
    method: 'POST',
    path: CREATED,
    headers: { ...json, authorization: `Bearer ${KEY}` },
    body: good,
    status: 401,
    code: 'API_KEY_MISSING',
  },
  {
    what: 'half of the key',
    method: 'POST',
    path: CREATED,
    headers: { ...json, 'x-api-key': KEY.slice(0, 20) },
    body: good,
    status: 403,
    code: 'API_KEY_WRONG',
  },
  {
    what: 'the key in capitals',
    method: 'POST',
    path: CREATED,
    headers: { ...json, 'x-api-key': KEY.toUpperCase() },
    body: good,
    status: 403,
    code: 'API_KEY_WRONG',
  },
  {
    what: 'the key twice',
    method: 'POST',
    path: CREATED,
    headers: { ...json, 'x-api-key': [KEY, KEY] },
    body: good,
    status: 403,
    code: 'API_KEY_WRONG',
  },
  {
    what: 'a key of 12 kB',
    method: 'POST',
    path: CREATED,
    headers: { ...json, 'x-api-key': 'k'.repeat(12_000) },
    body: good,
    status: 403,
    code: 'API_KEY_WRONG',
  },
  { what: 'the metrics without a key', path: '/metrics', status: 401, code: 'API_KEY_MISSING' },
  {
    what: 'the fleet’s metrics without a key',
    path: '/api/v1/internal/metrics',
    status: 401,
    code: 'API_KEY_MISSING',
  },

  // Headers
  {
    what: 'another type',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'content-type': 'text/plain' },
    body: good,
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'no type',
    method: 'POST',
    path: CREATED,
    headers: { 'x-api-key': KEY },
    body: good,
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'a type that only looks like JSON',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'content-type': 'text/json' },
    body: good,
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'a form',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'content-type': 'application/x-www-form-urlencoded' },
    body: `appointmentId=${GOOD_ID}`,
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'a multipart form',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'content-type': 'multipart/form-data; boundary=x' },
    body: good,
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'an unknown charset',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'content-type': 'application/json; charset=utf-7' },
    body: good,
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'said to be compressed',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'content-encoding': 'gzip' },
    body: good,
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'said to be compressed twice',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'content-encoding': 'gzip, br' },
    body: good,
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'an Idempotency-Key of 300 characters',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'idempotency-key': 'a'.repeat(300) },
    body: good,
    status: 400,
    code: 'INVALID_IDEMPOTENCY_KEY',
  },
  {
    what: 'an Idempotency-Key with a space',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'idempotency-key': 'a b' },
    body: good,
    status: 400,
    code: 'INVALID_IDEMPOTENCY_KEY',
  },
  {
    what: 'an Idempotency-Key beyond ASCII',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'idempotency-key': 'é' },
    body: good,
    status: 400,
    code: 'INVALID_IDEMPOTENCY_KEY',
  },
  {
    what: 'headers of 20 kB',
    method: 'POST',
    path: CREATED,
    headers: { ...keyed, 'x-long': 'a'.repeat(20_000) },
    body: good,
    status: 431,
  },

  ...['queues?activeQueue', 'job-schedulers?queueName'].map((query) => ({
    what: `a name for Bull Board that is not encoded: ${query}`,
    path: `/admin/queues/api/${query}=%25`,
    headers: { authorization: ':admin' },
    status: 400,
    code: 'INVALID_REQUEST',
  })),
  ...['queues?status=a%00b', 'queues?status[]=a%00b', 'metrics/latency?metric=%00'].map((query) => ({
    what: `NUL in a value for Bull Board: ${query}`,
    path: `/admin/queues/api/${query}`,
    headers: { authorization: ':admin' },
    status: 400,
    code: 'INVALID_REQUEST',
  })),

  // Methods and paths
  ...['GET', 'PUT', 'DELETE', 'PATCH'].map((method) => ({
    what: `${method} for POST`,
    method,
    path: CREATED,
    headers: keyed,
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
  })),
  {
    what: 'an overridden method',
    method: 'GET',
    path: CREATED,
    headers: { ...keyed, 'x-http-method-override': 'POST' },
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
  },
  {
    what: 'an event that is none',
    method: 'POST',
    path: `${SOCKET}/appointment-moved`,
    headers: keyed,
    body: good,
    status: 404,
    code: 'ROUTE_NOT_FOUND',
  },
  {
    what: 'a path with dots',
    method: 'POST',
    path: `${SOCKET}/../socket/appointment-created`,
    headers: keyed,
    body: good,
    status: 404,
    code: 'ROUTE_NOT_FOUND',
  },
  {
    what: 'a path with encoded slashes',
    method: 'POST',
    path: `${SOCKET}%2Fappointment-created`,
    headers: keyed,
    body: good,
    status: 404,
    code: 'ROUTE_NOT_FOUND',
  },
  {
    what: 'a path with two slashes',
    method: 'POST',
    path: `/${CREATED}`,
    headers: json,
    body: good,
    status: 404,
    code: 'ROUTE_NOT_FOUND',
  },
  {
    what: 'a path with broken escapes',
    path: `${SOCKET}/emissions/%E0%A4%A`,
    headers: keyed,
    status: 400,
    code: 'INVALID_REQUEST',
  },
  { what: 'files above the page', path: '/..%2f..%2fpackage.json', status: 404, code: 'ROUTE_NOT_FOUND' },
  {
    what: 'files above the page, undisguised',
    path: '/../../../../etc/passwd',
    status: 404,
    code: 'ROUTE_NOT_FOUND',
  },
  { what: 'a dot file', path: '/.env', status: 404, code: 'ROUTE_NOT_FOUND' },
  { what: 'a NUL in the path', path: '/index.html%00.js', status: 404, code: 'ROUTE_NOT_FOUND' },
  {
    what: 'an id of a job of another kind',
    path: `${SOCKET}/emissions/repeat:x:1`,
    headers: keyed,
    status: 404,
    code: 'EMISSION_NOT_FOUND',
  },
  {
    what: 'an emission named like a key of the queue',
    path: `${SOCKET}/emissions/meta`,
    headers: keyed,
    status: 404,
    code: 'EMISSION_NOT_FOUND',
  },
  {
    what: 'an emission named like a list of the queue',
    path: `${SOCKET}/emissions/events`,
    headers: keyed,
    status: 404,
    code: 'EMISSION_NOT_FOUND',
  },
  {
    what: 'an emission of 5,000 characters',
    path: `${SOCKET}/emissions/${'a'.repeat(5_000)}`,
    headers: keyed,
    status: 404,
    code: 'EMISSION_NOT_FOUND',
  },
  {
    what: 'timelines of nothing',
    path: `${SOCKET}/emissions`,
    headers: keyed,
    status: 400,
    code: 'INVALID_APPOINTMENT_ID',
  },
  {
    what: 'timelines of two',
    path: `${SOCKET}/emissions?appointmentId=${GOOD_ID}&appointmentId=${GOOD_ID}`,
    headers: keyed,
    status: 400,
    code: 'INVALID_APPOINTMENT_ID',
  },
  {
    what: 'timelines of an operator',
    path: `${SOCKET}/emissions?appointmentId[$ne]=1`,
    headers: keyed,
    status: 400,
    code: 'INVALID_APPOINTMENT_ID',
  },

  // The dashboard's list
  { what: 'a list without a token', path: LIST, status: 401, code: 'TOKEN_INVALID' },
  {
    what: 'a list with the internal key',
    path: LIST,
    headers: { authorization: `Bearer ${KEY}`, 'x-api-key': KEY },
    status: 401,
    code: 'TOKEN_INVALID',
  },
  {
    what: 'a list with the token in the query',
    path: `${LIST}?token=:token`,
    status: 401,
    code: 'TOKEN_INVALID',
  },
  {
    what: 'a list by Basic',
    path: LIST,
    headers: { authorization: 'Basic :token' },
    status: 401,
    code: 'TOKEN_INVALID',
  },
  {
    what: 'a list for three months',
    path: `${LIST}?from=2026-01-01&to=2026-04-01`,
    headers: { authorization: 'Bearer :token' },
    status: 400,
    code: 'INVALID_RANGE',
  },
  {
    what: 'a list backwards',
    path: `${LIST}?from=2026-02-01&to=2026-01-01`,
    headers: { authorization: 'Bearer :token' },
    status: 400,
    code: 'INVALID_RANGE',
  },
  {
    what: 'a list from no date',
    path: `${LIST}?from=yesterday`,
    headers: { authorization: 'Bearer :token' },
    status: 400,
    code: 'INVALID_RANGE',
  },
  {
    what: 'a list from the year 99999',
    path: `${LIST}?from=99999-01-01`,
    headers: { authorization: 'Bearer :token' },
    status: 400,
    code: 'INVALID_RANGE',
  },
  {
    what: 'a list from two dates',
    path: `${LIST}?from=2026-01-01&from=2026-01-02`,
    headers: { authorization: 'Bearer :token' },
    status: 400,
    code: 'INVALID_RANGE',
  },

  // The operator's pages
  { what: 'Bull Board without credentials', path: '/admin/queues', status: 401, code: 'ADMIN_AUTH_REQUIRED' },
  {
    what: 'Bull Board’s data without credentials',
    path: '/admin/queues/api/queues',
    status: 401,
    code: 'ADMIN_AUTH_REQUIRED',
  },
  {
    what: 'Bull Board in capitals',
    path: '/ADMIN/QUEUES/api/queues',
    status: 401,
    code: 'ADMIN_AUTH_REQUIRED',
  },
  {
    what: 'the overview with another password',
    path: '/admin/api/overview',
    headers: { authorization: `Basic ${btoa('admin:wrong')}` },
    status: 401,
    code: 'ADMIN_AUTH_REQUIRED',
  },
  {
    what: 'the overview with credentials that are no Base64',
    path: '/admin/api/overview',
    headers: { authorization: 'Basic %%%' },
    status: 401,
    code: 'ADMIN_AUTH_REQUIRED',
  },
  {
    what: 'the overview with the internal key',
    path: '/admin/api/overview',
    headers: { 'x-api-key': KEY },
    status: 401,
    code: 'ADMIN_AUTH_REQUIRED',
  },
  {
    what: 'a retry from another site',
    method: 'POST',
    path: '/admin/api/retry-failed',
    headers: { ...json, authorization: ':admin', origin: 'https://evil.example' },
    body: '{}',
    status: 403,
    code: 'CROSS_ORIGIN',
  },
  {
    what: 'a retry from a sandboxed page',
    method: 'POST',
    path: '/admin/api/retry-failed',
    headers: { ...json, authorization: ':admin', origin: 'null' },
    body: '{}',
    status: 403,
    code: 'CROSS_ORIGIN',
  },
  {
    what: 'a retry where only reading is allowed',
    method: 'POST',
    path: '/admin/api/retry-failed',
    headers: { ...json, authorization: ':admin' },
    body: '{}',
    status: 403,
    code: 'ADMIN_READ_ONLY',
  },

  // Engine.IO itself
  { what: 'Engine.IO without a transport', path: '/socket.io/?EIO=4', status: 400 },
  {
    what: 'Engine.IO by a transport that is none',
    path: '/socket.io/?EIO=4&transport=carrier-pigeon',
    status: 400,
  },
  { what: 'Engine.IO by __proto__', path: '/socket.io/?EIO=4&transport=__proto__', status: 400 },
  { what: 'Engine.IO of a version before', path: '/socket.io/?EIO=3&transport=polling', status: 400 },
  {
    what: 'Engine.IO with an unknown session',
    path: '/socket.io/?EIO=4&transport=polling&sid=x',
    status: 400,
  },
  {
    what: 'Engine.IO with the session __proto__',
    path: '/socket.io/?EIO=4&transport=polling&sid=__proto__',
    status: 400,
  },
  {
    what: 'Engine.IO by POST without a session',
    method: 'POST',
    path: '/socket.io/?EIO=4&transport=polling',
    body: '40',
    status: 400,
  },
  { what: 'a WebSocket without an upgrade', path: '/socket.io/?EIO=4&transport=websocket', status: 400 },
];

/** What goes over the wire by itself, and the status that answers it; `closed` where nothing does. */
export const RAW: readonly { what: string; bytes: string; status: number | 'closed' }[] = [
  { what: 'words', bytes: 'hello\r\n\r\n', status: 400 },
  { what: 'TLS', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', status: 400 },
  { what: 'HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 400 },
  { what: 'no Host', bytes: `POST ${CREATED} HTTP/1.1\r\nx-api-key: ${KEY}\r\n\r\n`, status: 400 },
  {
    what: 'two lengths',
    bytes: `POST ${CREATED} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}`,
    status: 400,
  },
  {
    what: 'a length below zero',
    bytes: `POST ${CREATED} HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n`,
    status: 400,
  },
  {
    what: 'a length and chunks',
    bytes: `POST ${CREATED} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    what: 'a chunk of no size',
    bytes: `POST ${CREATED} HTTP/1.1\r\nHost: a\r\nx-api-key: ${KEY}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    status: 400,
  },
  { what: 'a header over two lines', bytes: `GET / HTTP/1.1\r\nHost: a\r\nx: 1\r\n 2\r\n\r\n`, status: 400 },
  { what: 'a NUL in a header', bytes: `GET / HTTP/1.1\r\nHost: a\r\nx: \0\r\n\r\n`, status: 400 },
  { what: 'an unknown method', bytes: 'STEAL / HTTP/1.1\r\nHost: a\r\n\r\n', status: 400 },
  {
    what: 'a WebSocket without a key',
    bytes:
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    status: 400,
  },
  {
    what: 'a WebSocket of an unknown version',
    bytes:
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 99\r\n\r\n',
    status: 400,
  },
  {
    what: 'a WebSocket elsewhere',
    bytes:
      'GET /elsewhere HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    status: 'closed',
  },
];

/** Handshakes: the namespace, the `auth` object, and the message of the refusal. `:token` is a valid token. */
export const HANDSHAKES: readonly { what: string; namespace: string; auth: object; message: string }[] = [
  {
    what: 'no token',
    namespace: '/',
    auth: {},
    message: 'a token is required: a JWT with companyId and exp',
  },
  {
    what: 'a token in an array',
    namespace: '/',
    auth: { token: [':token'] },
    message: 'a token is required: a JWT with companyId and exp',
  },
  {
    what: 'an operator for a token',
    namespace: '/',
    auth: { token: { $ne: '' } },
    message: 'a token is required: a JWT with companyId and exp',
  },
  {
    what: 'a token and more behind it',
    namespace: '/',
    auth: { token: ':token.x' },
    message: 'the token is not valid',
  },
  {
    what: 'the internal key for a token',
    namespace: '/',
    auth: { token: KEY },
    message: 'the token is not valid',
  },
  {
    what: 'a company by name',
    namespace: '/',
    auth: { companyId: 'c'.repeat(24) },
    message: 'a token is required: a JWT with companyId and exp',
  },
  { what: 'services without a key', namespace: '/internal', auth: {}, message: 'API_KEY_MISSING' },
  {
    what: 'services with a token',
    namespace: '/internal',
    auth: { apiKey: ':token' },
    message: 'API_KEY_WRONG',
  },
  {
    what: 'services with a key in an array',
    namespace: '/internal',
    auth: { apiKey: [KEY] },
    message: 'API_KEY_MISSING',
  },
  {
    what: 'an unknown namespace',
    namespace: '/admin',
    auth: { token: ':token' },
    message: 'Invalid namespace',
  },
  {
    what: 'a namespace named as a company’s room',
    namespace: '/company:x',
    auth: { token: ':token' },
    message: 'Invalid namespace',
  },
  {
    what: 'the namespace __proto__',
    namespace: '/__proto__',
    auth: { token: ':token' },
    message: 'Invalid namespace',
  },
];

const CATCH_UP = '"emissions:catch-up"';
/** Each with what must come of it. */
export const FRAMES: readonly BadFrame[] = [
  ...LIMIT_FRAMES,
  ...CLOCK_FRAMES,
  ...POSITION_FRAMES,
  { what: 'nothing', packet: '', then: 'closed' },
  { what: 'words', packet: 'hello', then: 'closed' },
  { what: 'a type that is none', packet: '9', then: 'closed' },
  { what: 'an event of broken JSON', packet: '2["a"', then: 'closed' },
  { what: 'an event that is an object', packet: '2{"a":1}', then: 'closed' },
  { what: 'an event without a name', packet: '2[]', then: 'closed' },
  { what: 'an event named by an object', packet: '2[{}]', then: 'closed' },
  { what: 'an event named disconnect', packet: '2["disconnect"]', then: 'closed' },
  { what: 'an event named connection', packet: '2["connect"]', then: 'closed' },
  {
    what: 'a binary event without its binary',
    packet: '51-["a",{"_placeholder":true,"num":0}]',
    then: 'ignored',
  },
  { what: 'a million attachments', packet: '51000000-["a"]', then: 'ignored' },
  { what: 'attachments that are no number', packet: '5x-["a"]', then: 'closed' },
  { what: 'an unknown event', packet: '2["join","company:x"]', then: 'ignored' },
  { what: 'an event of ours', packet: '2["appointment:created",{}]', then: 'ignored' },
  { what: 'an event named __proto__', packet: '2["__proto__",{}]', then: 'ignored' },
  {
    what: 'an event of the internal namespace',
    packet: `2["emit",{"event":"appointment:created","appointmentId":"${GOOD_ID}"}]`,
    then: 'ignored',
  },
  {
    what: 'an event for a namespace not joined',
    packet: `2/internal,1["emit",{"event":"appointment:created","appointmentId":"${GOOD_ID}"}]`,
    then: 'closed',
  },
  { what: 'an acknowledgement without a request', packet: '3999[1]', then: 'ignored' },
  { what: 'a catch-up without a place', packet: `21[${CATCH_UP}]`, then: 'ignored' },
  {
    what: 'a catch-up without an acknowledgement',
    packet: `2[${CATCH_UP},{"epoch":"a","offset":0}]`,
    then: 'ignored',
  },
  {
    what: 'a catch-up from below zero',
    packet: `21[${CATCH_UP},{"epoch":"a","offset":-1}]`,
    then: 'ignored',
  },
  {
    what: 'a catch-up from a fraction',
    packet: `21[${CATCH_UP},{"epoch":"a","offset":0.5}]`,
    then: 'ignored',
  },
  { what: 'a catch-up from 1e999', packet: `21[${CATCH_UP},{"epoch":"a","offset":1e999}]`, then: 'ignored' },
  {
    what: 'a catch-up of a key’s name',
    packet: `21[${CATCH_UP},{"epoch":"${'*'.repeat(65)}","offset":0}]`,
    then: 'ignored',
  },
  {
    what: 'a catch-up of an epoch with a length that is an object',
    packet: `21[${CATCH_UP},{"epoch":{"length":${NO_NUMBER}},"offset":0}]`,
    then: 'ignored',
  },
  {
    what: 'a report of an id with a length that is an object',
    packet: `2["emissions:seen",{"emissionId":{"length":${NO_NUMBER}},"acceptedAt":"2026-11-30T00:00:00Z"}]`,
    then: 'ignored',
  },
  {
    what: 'a catch-up of a number for an epoch',
    packet: `21[${CATCH_UP},{"epoch":{},"offset":0}]`,
    then: 'ignored',
  },
  {
    what: 'a report of an emission that was never sent',
    packet: '2["emissions:seen",{"emissionId":{},"acceptedAt":1}]',
    then: 'ignored',
  },
  {
    what: 'a report from the future',
    packet: '2["emissions:seen",{"emissionId":"a","acceptedAt":"9999-01-01T00:00:00Z"}]',
    then: 'ignored',
  },
  { what: '20 kB', packet: `2["a","${'a'.repeat(20_000)}"]`, then: 'closed' },
  { what: 'depth', packet: `2["a",${'['.repeat(5_000)}${']'.repeat(5_000)}]`, then: 'ignored' },
];
