import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { RunningApi } from '../../src/api/start-api.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { admin, type Answer, basic, quietWorld } from './admin.ts';
import { line, withFile, writeOperators } from './operators-file.ts';

const [ANN, BEN] = ['ann-password-1', 'ben-password-1'];
const TWO = () => line('ann', 'repair', ANN) + line('ben@example.com', 'view', BEN);

let world: World;
let lines: Record<string, unknown>[];
afterEach(() => world.close());

async function startWith(text: string): Promise<{ api: RunningApi; path: string }> {
  lines = [];
  world = await quietWorld({}, { onLogLine: (found) => lines.push(found) });
  const path = writeOperators(text);
  return { api: await world.api(withFile(path)), path };
}

/** The overview, or the answer of a repair, for this operator. */
const as = (api: { url: string }, name: string, password: string, path = 'overview', body?: object) =>
  admin(api, path, body, { authorization: basic(name, password) });
const statusOf = async (...args: Parameters<typeof as>): Promise<number> => (await as(...args)).status;
const RE_EMIT = ['re-emit', { companyId: 'a'.repeat(24), since: '1h' }] as const;

test('operators sign in with their own passwords, and only the role repair may change something', async () => {
  const { api } = await startWith(`# operators\n\n${TWO()}`);
  expect((await as(api, 'ann', ANN)).body).toMatchObject({
    operator: { name: 'ann', role: 'repair' },
    writes: true,
  });
  expect((await as(api, 'ben@example.com', BEN)).body).toMatchObject({
    operator: { name: 'ben@example.com', role: 'view' },
    writes: false,
  });
  for (const [name, password] of [
    ['ann', BEN],
    ['ben', BEN],
    ['ANN', ANN],
    ['', ''],
    ['ann', `${ANN}\0`],
  ] as const)
    expect([name, await statusOf(api, name, password)]).toEqual([name, 401]);

  expect(await statusOf(api, 'ann', ANN, ...RE_EMIT)).toBe(200);
  const refused = await as(api, 'ben@example.com', BEN, ...RE_EMIT);
  expect([refused.status, refused.body.detail]).toEqual([
    403,
    expect.stringContaining('your role is view: changes need the role repair'),
  ]);
  const dry = { ...RE_EMIT[1], dryRun: true };
  expect(await statusOf(api, 'ben@example.com', BEN, 're-emit', dry)).toBe(200);
});

test('Bull Board has no buttons for the role view, and refuses its changes', async () => {
  const { api } = await startWith(TWO());
  const board = async (name: string, password: string, path: string, method = 'GET') =>
    fetch(`${api.url}/admin/queues${path}`, { method, headers: { authorization: basic(name, password) } });
  const isReadOnly = async (name: string, password: string) => {
    const { queues } = (await (await board(name, password, '/api/queues')).json()) as Answer;
    return (queues as { readOnlyMode: boolean }[]).map(({ readOnlyMode }) => readOnlyMode);
  };
  expect(await isReadOnly('ben@example.com', BEN)).toEqual([true, true]);
  expect(await isReadOnly('ann', ANN)).toEqual([false, false]);
  for (const path of ['/api/queues/appointment-emissions/pause', '/api/queues/pause', '/nothing'])
    expect([path, (await board('ben@example.com', BEN, path, 'PUT')).status]).toEqual([path, 403]);
  expect(await world.queue.isPaused()).toBe(false);
  expect((await board('ann', ANN, '/api/queues/appointment-emissions/pause', 'PUT')).status).toBe(200);
  expect(await world.queue.isPaused()).toBe(true);
});

test('a change of the file counts from the next request on: a new password, a new role, a removed operator', async () => {
  const { api, path } = await startWith(TWO());
  expect(await statusOf(api, 'ann', ANN)).toBe(200);
  writeFileSync(path, line('ann', 'repair', 'another-password') + line('ben@example.com', 'repair', BEN));
  expect(await statusOf(api, 'ann', ANN)).toBe(401);
  expect(await statusOf(api, 'ann', 'another-password')).toBe(200);
  expect((await as(api, 'ben@example.com', BEN)).body.writes).toBe(true);

  writeFileSync(path, line('carl', 'view', 'carl-password-1'));
  expect(await statusOf(api, 'ann', 'another-password')).toBe(401);
  expect(await statusOf(api, 'carl', 'carl-password-1')).toBe(200);
  expect(lines.filter(({ msg }) => msg === 'operators changed')).toHaveLength(2);
});

test('a file is replaced as Kubernetes does, by another target of a link', async () => {
  const { path: first } = await startWith(TWO());
  const second = writeOperators(line('carl', 'view', 'carl-password-1'));
  const dir = dirname(first);
  symlinkSync(dir, join(dir, '..data'));
  symlinkSync(join('..data', 'operators'), join(dir, 'mounted'));
  const api = await world.api(withFile(join(dir, 'mounted')));
  expect(await statusOf(api, 'ann', ANN)).toBe(200);

  symlinkSync(dirname(second), join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  expect(await statusOf(api, 'ann', ANN)).toBe(401);
  expect(await statusOf(api, 'carl', 'carl-password-1')).toBe(200);
});

test('a damaged file keeps the previous operators, with an error in the log and a warning of /health', async () => {
  const { api, path } = await startWith(TWO());
  const warnings = async () =>
    ((await (await fetch(`${api.url}/health`)).json()) as { warnings: string[] }).warnings;
  const ours = async () => (await warnings()).filter((text) => text.startsWith('OPERATORS_FILE'));
  expect(await ours()).toEqual([]);

  writeFileSync(path, `${TWO()}carl admin carl-password-1\n`);
  expect(await statusOf(api, 'ann', ANN)).toBe(200);
  const problem = 'line 3: the role must be view or repair';
  const warning = `OPERATORS_FILE is not usable, and the previous operators stay: ${problem}`;
  await eventually('the warning', async () => (await ours())[0] === warning);
  rmSync(path);
  expect(await statusOf(api, 'ben@example.com', BEN)).toBe(200);
  expect(await statusOf(api, 'carl', 'carl-password-1')).toBe(401);

  writeFileSync(path, TWO());
  await eventually('no warning', async () => (await statusOf(api, 'ann', ANN)) === 200 && !(await ours())[0]);
  const texts = lines
    .filter(({ msg }) => String(msg).startsWith('operators'))
    .map(({ msg, error }) => error ?? msg);
  expect(texts).toEqual([
    problem,
    'it cannot be read (ENOENT)',
    'operators changed',
    'operators file usable again',
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/carl|scrypt/);
});

test('an API does not start with an unusable file', async () => {
  world = await quietWorld();
  const path = writeOperators('ann repair secret-in-clear\n');
  await expect(world.api(withFile(path))).rejects.toThrow(
    /OPERATORS_FILE is not usable: line 1: the password must be a hash made by "emissions operator-hash"/,
  );
});
