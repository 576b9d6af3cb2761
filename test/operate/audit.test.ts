import { hash } from 'node:crypto';
import { userInfo } from 'node:os';
import { afterEach, expect, test } from '@jest/globals';
import { readCommandLine } from '../../src/cli/command-line.ts';
import { type ChangeCommand, runChange } from '../../src/cli/run-change.ts';
import { freeze, ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { readLogLines } from '../harness/log-lines.ts';
import type { World } from '../harness/world.ts';
import { admin, basic, failedEmission, quietWorld } from './admin.ts';
import { line, withFile, writeOperators } from './operators-file.ts';

const PASSWORD = 'a-long-password';
const [ANN, BEN] = [basic('ann', PASSWORD), basic('ben', PASSWORD)];
const COMPANY = 'a'.repeat(24);

let world: World;
let lines: Record<string, unknown>[];
afterEach(() => world.close());

async function startApi(options: { redisUrl?: string } = {}) {
  lines = [];
  world = await quietWorld({}, { ...options, onLogLine: (found) => lines.push(found) });
  const path = writeOperators(line('ann', 'repair', PASSWORD) + line('ben', 'view', PASSWORD));
  return world.api(withFile(path));
}

/** Fields of pino itself. */
const OWN_FIELDS = new Set(['level', 'time', 'pid', 'hostname', 'msg']);
const withoutOwn = (found: object) =>
  Object.fromEntries(Object.entries(found).filter(([field]) => !OWN_FIELDS.has(field)));

/** The audit lines so far. */
const audited = () => lines.filter(({ msg }) => msg === 'audit').map(withoutOwn);

test('each repair, dry run and refused attempt of the page is one line with who, what, how many and the result', async () => {
  const api = await startApi();
  const { emissionId, company } = await failedEmission(world, api);
  const { companyId } = company;
  const as = (authorization: string, path: string, body: object, more: Record<string, string> = {}) =>
    admin(api, path, body, { authorization, ...more });
  await as(ANN, 'retry-failed', { since: '1h', code: 'COMPANY_MISMATCH', dryRun: true });
  await as(ANN, 'retry', { emissionId });
  await as(ANN, 're-emit', { companyId, since: '1h', limit: 5 });
  await as(BEN, 're-emit', { companyId, since: '1h' });
  await as(ANN, 'disconnect', { userId: 'ann@example.org' });
  await as(ANN, 'retry-failed', { since: 'Ann Bauer', code: 7 });
  await as(ANN, 'disconnect', { companyId }, { origin: 'https://elsewhere.example' });
  await as(BEN, 'nothing', {});
  await eventually('all lines', () => audited().length >= 8);

  const page = { via: 'page', dryRun: false };
  expect(audited()).toEqual([
    {
      ...page,
      ...{
        who: 'ann',
        action: 'retry-failed',
        filter: { since: '1h', code: 'COMPANY_MISMATCH' },
        dryRun: true,
      },
      ...{ matched: 1, changed: 0, result: 'done' },
    },
    { ...page, who: 'ann', action: 'retry', filter: { emissionId }, matched: 1, changed: 1, result: 'done' },
    {
      ...page,
      ...{ who: 'ann', action: 're-emit', filter: { companyId, since: '1h', limit: 5 } },
      ...{ matched: 1, changed: 1, result: 'done' },
    },
    {
      ...page,
      ...{ who: 'ben', action: 're-emit', filter: { companyId, since: '1h' } },
      ...{ result: 'refused', code: 'ADMIN_READ_ONLY' },
    },
    {
      ...page,
      ...{ who: 'ann', action: 'disconnect', filter: { userHash: hash('sha256', 'ann@example.org') } },
      ...{ matched: 0, changed: 0, result: 'done' },
    },
    {
      ...page,
      ...{ who: 'ann', action: 'retry-failed', filter: { since: 'not valid', code: 'not valid' } },
      ...{ result: 'refused', code: 'INVALID_REQUEST' },
    },
    { who: 'ann', via: 'page', action: 'disconnect', result: 'refused', code: 'CROSS_ORIGIN' },
    { who: 'ben', via: 'page', action: 'nothing', result: 'refused', code: 'ROUTE_NOT_FOUND' },
  ]);
});

const put = async (api: { url: string }, authorization: string, path: string) =>
  (await fetch(`${api.url}/admin/queues/api/queues/${path}`, { method: 'PUT', headers: { authorization } }))
    .status;
const QUEUE = 'appointment-emissions';

test('each change on Bull Board is a line with the number of jobs or queues, refused ones too, and no text of a path is logged', async () => {
  const api = await startApi();
  const { emissionId } = await failedEmission(world, api);
  await put(api, ANN, `${QUEUE}/pause`);
  await put(api, ANN, `${QUEUE}/retry/failed`);
  await put(api, ANN, `${QUEUE}/${emissionId}/retry`);
  await put(api, ANN, `${QUEUE}/${emissionId}/clean`);
  await put(api, ANN, `${QUEUE}/${emissionId}/clean`);
  await put(api, ANN, `${QUEUE}/empty`);
  await put(api, ANN, 'resume');
  await put(api, BEN, `${QUEUE}/obliterate`);
  await put(api, ANN, `${QUEUE}/Ann%20Bauer/retry`);
  await put(api, ANN, `${QUEUE}/no/such/route`);
  await eventually('all lines', () => audited().length >= 10);

  const ann = { who: 'ann', via: 'bull-board', dryRun: false };
  const refused = { result: 'refused', changed: 0 };
  const job = { queue: QUEUE, job: emissionId };
  expect(audited()).toEqual([
    { ...ann, action: 'PUT pause', filter: { queue: QUEUE }, matched: 1, result: 'done' },
    { ...ann, action: 'PUT retry/failed', filter: { queue: QUEUE }, matched: 1, result: 'done' },
    { ...ann, action: 'PUT retry', filter: job, ...refused, code: 'HTTP_400' },
    { ...ann, action: 'PUT clean', filter: job, matched: 1, result: 'done' },
    { ...ann, action: 'PUT clean', filter: job, ...refused, code: 'HTTP_404' },
    { ...ann, action: 'PUT empty', filter: { queue: QUEUE }, matched: 0, result: 'done' },
    { ...ann, action: 'PUT resume', filter: {}, matched: 2, result: 'done' },
    {
      ...{ ...ann, who: 'ben', action: 'PUT obliterate', filter: { queue: QUEUE } },
      ...{ ...refused, code: 'ADMIN_READ_ONLY' },
    },
    { ...ann, action: 'PUT retry', filter: { queue: QUEUE, job: 'not valid' }, ...refused, code: 'HTTP_404' },
    { ...ann, action: 'PUT not a route', ...refused, code: 'ROUTE_NOT_FOUND' },
  ]);
});

test('a change on Bull Board whose jobs cannot be counted is a line without a number', async () => {
  const redis = await ownRedis();
  try {
    const api = await startApi({ redisUrl: redis.url });
    await freeze(redis);
    await put(api, ANN, `${QUEUE}/clean/failed`);
    await eventually('the line', () => audited().length > 0);
    expect(audited()).toEqual([
      {
        ...{ who: 'ann', via: 'bull-board', action: 'PUT clean/failed', filter: { queue: QUEUE } },
        ...{ dryRun: false, result: 'failed', code: expect.any(String) },
      },
    ]);
  } finally {
    await redis.kill('SIGCONT');
    await redis.stop();
  }
});

test('attempts without a sign-in are throttled lines, without the name that was given', async () => {
  const api = await startApi();
  for (let attempt = 0; attempt < 5; attempt += 1)
    await admin(
      api,
      'disconnect',
      { companyId: COMPANY },
      { authorization: basic('carl', 'wrong-password') },
    );
  await eventually('a line', () => audited().length > 0);
  expect(audited()).toEqual([
    {
      ...{ who: null, via: 'page', action: 'disconnect', result: 'refused' },
      ...{ code: 'ADMIN_AUTH_REQUIRED', error: 'ADMIN_AUTH_REQUIRED', times: 1 },
    },
  ]);
});

test('a command is a line in combined.log with the system user, a refused one too', async () => {
  world = await quietWorld();
  const change = (env: Record<string, string>, ...args: string[]) => {
    const read = readCommandLine(args);
    if (!('command' in read)) throw new Error(JSON.stringify(read));
    return runChange({ ...world.env, ...env }, read.command as ChangeCommand);
  };
  await change({}, 'queue', 'pause', '--bulk');
  await change({ SUDO_USER: 'eve\n{"msg":"audit"}' }, 'queue', 'resume');
  await change({}, 'erase', '--company', COMPANY, '--dry-run');
  await change({}, 're-emit', '--company', COMPANY, '--since', '1h');
  await expect(change({}, 'retry', 'no-such-emission')).rejects.toThrow('no failed emission');
  await expect(change({}, 'erase')).rejects.toThrow('erase needs either');

  const who = userInfo().username;
  const all = readLogLines(world.env['LOG_DIR']!);
  expect(all.map((found) => [found.msg, withoutOwn(found)])).toEqual(
    [
      { who, action: 'queue pause', filter: { queues: ['bulk'] }, matched: 1, changed: 1, result: 'done' },
      {
        ...{ who: `${who} (sudo by eve {"msg":"audit"})`, action: 'queue resume' },
        ...{ filter: { queues: ['live', 'bulk'] }, matched: 2, changed: 2, result: 'done' },
      },
      {
        ...{ who, action: 'erase', filter: { companyId: COMPANY }, dryRun: true },
        ...{ matched: 0, changed: 0, result: 'done' },
      },
      {
        who,
        action: 're-emit',
        filter: { companyId: COMPANY, since: '1h' },
        matched: 0,
        changed: 0,
        result: 'done',
      },
      {
        who,
        action: 'retry',
        filter: { emissionId: 'no-such-emission' },
        result: 'refused',
        code: 'EMISSION_NOT_FOUND',
      },
      { who, action: 'erase', filter: {}, result: 'refused', code: 'INVALID_REQUEST' },
    ].map((entry) => ['audit', { name: 'command', via: 'command', dryRun: false, ...entry }]),
  );
});
