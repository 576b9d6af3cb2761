import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { ERROR_CODES } from '../../src/errors.ts';
import { headers, isAmbiguous, sendRaw } from '../../test/security/raw-http.ts';
import { API_KEY } from '../../test/harness/world.ts';
import { mutated, mutatedBytes, rarely, textOf, toJson } from './mutate.ts';
import { type OpenSurface, surfaceOf } from './surface.ts';
import { OTHER_COMPANY_MARK } from './watchers.ts';
import type { Target } from './target.ts';

const INTERNAL = '/api/v1/internal';
const LIST = '/api/v1/dashboard/appointments';

/** A valid request. Its parts are changed one by one. */
interface ValidRequest {
  method: string;
  path: string;
  query?: Record<string, string>;
  headers: Record<string, string>;
  body?: unknown;
}

/** Status codes that Node, Express or Socket.IO answer without a problem of ours. */
const NOT_OURS = new Set([400, 404, 408, 413, 417, 431, 501]);

/** HTTP requests: bodies, queries, paths and headers that were valid, and bytes that were a request. */
export const openHttp: OpenSurface = async (target) => {
  const requests = await validRequests(target);
  const request = fc.constantFrom(...requests).chain((valid) =>
    fc.record({
      method: fc.oneof(
        { weight: 9, arbitrary: fc.constant(valid.method) },
        { weight: 1, arbitrary: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'TRACE') },
      ),
      path: pathOf(valid),
      headers: fc.oneof(
        { weight: 3, arbitrary: fc.constant<[string, string][]>([]) },
        { weight: 1, arbitrary: headers },
      ),
      valid: fc.constant(valid.headers),
      body: bodyOf(valid),
      edit: rarely(mutatedBytes()),
    }),
  );
  return surfaceOf(fc.array(request, { minLength: 1, maxLength: 4 }), async (sent) => {
    for (const { method, path, headers: more, valid, body, edit } of sent) {
      const own = Object.entries(valid).filter(([name]) => !more.some(([other]) => other === name));
      const all: [string, string][] = [...own, ...more];
      if (body.length > 0 && !isFramed(more)) all.push(['content-length', String(body.length)]);
      const head = all.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const bytes = Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${head}\r\n${body}`, 'latin1');
      const text = (edit?.(bytes) ?? bytes).toString('latin1');
      await checkAnswers(target, text, edit === undefined && isAmbiguous(all));
    }
  });
};

const isFramed = (all: readonly [string, string][]) =>
  all.some(([name]) => /^(content-length|transfer-encoding)\s*$/i.test(name));

async function checkAnswers(target: Target, text: string, mustRefuse: boolean): Promise<void> {
  const answer = await sendRaw(target.api.url, text);
  const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  for (const status of statuses) target.count(String(status));
  if (statuses.length === 0) target.count('closed');
  const [first = 0] = statuses.filter((status) => status >= 200);
  if (mustRefuse && ![0, 400, 431].includes(first)) throw new Error(`an ambiguous request got ${first}`);
  if (/node_modules|at .*\.ts:\d/.test(answer)) throw new Error(`a stack left the process: ${answer}`);
  if (answer.includes(OTHER_COMPANY_MARK)) throw new Error(`data of another company: ${answer}`);
  if (/HTTP\/1\.1 5\d\d /.test(answer)) await mayBeUnavailable(target, text, answer);
  else if (statuses.length === 1) checkProblem(first, answer);
}

/** A problem has a documented code of this status; pages and the errors of Node and of Engine.IO have none. */
function checkProblem(status: number, answer: string): void {
  if (status < 400) return;
  if (!/content-type: application\/problem\+json/i.test(answer)) {
    if (NOT_OURS.has(status) || /content-type: text\/html|\{"code":\d,"message":/i.test(answer)) return;
    throw new Error(`not a problem: ${answer.slice(0, 1_000)}`);
  }
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  // A reply to HEAD.
  if (body === '') return;
  const { code, status: said } = JSON.parse(body) as { code: string; status: number };
  const documented: Readonly<Record<string, number>> = ERROR_CODES;
  if (said !== status || documented[code] !== status) throw new Error(`not documented: ${status} ${body}`);
}

/** A slow server is answered 500 DATABASE_ERROR or 503. The same request must then get another answer. */
async function mayBeUnavailable(target: Target, text: string, first: string): Promise<void> {
  const known = /"code":"(DATABASE_ERROR|QUEUE_UNAVAILABLE|QUEUE_FULL)"| 501 /;
  if (!known.test(first)) throw new Error(`a server error: ${first.slice(0, 1_000)}`);
  if (/ 501 /.test(first)) return;
  const again = await sendRaw(target.api.url, text);
  if (/HTTP\/1\.1 5\d\d /.test(again)) throw new Error(`twice a server error: ${again.slice(0, 1_000)}`);
}

function pathOf({ path, query }: ValidRequest): fc.Arbitrary<string> {
  const encoded = (values: unknown): string =>
    Object.entries(Object(values) as object)
      .map(([name, value]) => `${encode(name)}=${encode(textOf(value))}`)
      .join('&');
  const queries = query
    ? mutated(query, 2).map((values) => `${path}?${encoded(values)}`)
    : fc.constantFrom(path, `${path}?a[b]=1&a=2`, `${path}?__proto__[x]=1`);
  const odd = fc.oneof(
    fc.constantFrom('%', '%00', '%2e%2e/', '/../', '//', ';a=1', '%c0%af', '?', '#', '\\', '/'.repeat(500)),
    fc.string({ maxLength: 10 }).map((text) => encode(text)),
  );
  const changed = fc.tuple(fc.nat(), odd).map(([at, text]) => {
    const from = 1 + (at % path.length);
    return path.slice(0, from) + text + path.slice(from);
  });
  return fc.oneof({ weight: 6, arbitrary: queries }, { weight: 1, arbitrary: changed });
}

/** Lone surrogates have no encoding. */
function encode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

/** As latin1, since the request is sent as bytes. */
function bodyOf({ body }: ValidRequest): fc.Arbitrary<string> {
  if (body === undefined) return fc.constantFrom('', '', '{}');
  const json = mutated(body).map((value) => Buffer.from(toJson(value)));
  const changed = fc.tuple(json, mutatedBytes()).map(([bytes, edit]) => edit(bytes));
  return fc
    .oneof({ weight: 5, arbitrary: json }, { weight: 2, arbitrary: changed })
    .map((bytes) => bytes.toString('latin1'));
}

async function validRequests({ world, company, appointments }: Target): Promise<ValidRequest[]> {
  const [appointmentId] = appointments;
  const { companyId } = company;
  const keyed = { 'x-api-key': API_KEY, 'content-type': 'application/json' };
  const token = { authorization: `Bearer ${await world.token(companyId, '2h')}` };
  const login = {
    authorization: `Basic ${btoa('admin:admin-password')}`,
    origin: 'http://a',
    'content-type': 'application/json',
  };
  const post = (path: string, body: unknown, sent: Record<string, string> = keyed): ValidRequest => ({
    ...{ method: 'POST', path, headers: sent, body },
  });
  const get = (path: string, sent: Record<string, string>, query?: Record<string, string>): ValidRequest => ({
    ...{ method: 'GET', path, headers: sent, ...(query && { query }) },
  });
  const emission = { event: 'appointment:updated', appointmentId };
  const dryRun = { dryRun: true, limit: 10, since: '1h' };
  return [
    ...['created', 'updated', 'canceled'].flatMap((word) => [
      post(`${INTERNAL}/socket/appointment-${word}`, { appointmentId }),
      post(
        `${INTERNAL}/socket/appointment-${word}`,
        { appointmentId },
        { ...keyed, 'idempotency-key': randomUUID() },
      ),
    ]),
    post(`${INTERNAL}/socket/appointment-deleted`, { appointmentId, companyId }),
    post(`${INTERNAL}/socket/batch`, { emissions: [emission, { ...emission, companyId }] }),
    post(
      `${INTERNAL}/socket/batch`,
      { emissions: [emission] },
      { ...keyed, 'idempotency-key': randomUUID() },
    ),
    get(`${INTERNAL}/socket/emissions/${randomUUID()}`, keyed),
    get(`${INTERNAL}/socket/emissions`, keyed, { appointmentId: appointmentId! }),
    get(`${INTERNAL}/metrics`, keyed),
    get('/metrics', keyed),
    get(LIST, token),
    get(LIST, token, { from: '2026-11-01', to: '2026-11-29T00:00:00Z' }),
    ...['overview', 'series'].map((name) => get(`/admin/api/${name}`, login)),
    get('/admin/api/companies', login, { prefix: 'a' }),
    post('/admin/api/retry', { emissionId: randomUUID() }, login),
    post('/admin/api/retry-failed', { ...dryRun, code: 'JOB_INVALID' }, login),
    post('/admin/api/re-emit', { ...dryRun, companyId }, login),
    post('/admin/api/disconnect', { companyId, userId: 'u', dryRun: true }, login),
    get('/admin/queues', login),
    get('/admin/queues/api/queues', login, {
      activeQueue: 'appointment-emissions',
      page: '1',
      status: 'latest',
    }),
    get('/openapi.json', {}),
    get('/readyz', {}),
    get('/socket.io/', {}, { EIO: '4', transport: 'polling' }),
  ];
}
