import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { RunningApi } from '../../src/api/start-api.ts';
import { damageCounts } from '../harness/damage.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

let world: World;
let api: RunningApi;
let company: Company;
let appointmentId: string;
let dashboard: Dashboard;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', ADMIN_WRITES: 'on' } });
  api = await world.ready(world.api());
  company = await world.documents.company();
  appointmentId = await company.appointment();
  dashboard = await world.dashboard(api, company.companyId);
  world.worker();
  await world.jobIn(await world.emit(api, 'appointment-updated', appointmentId), 'completed');
});
afterAll(() => world.close());

const admin = { authorization: `Basic ${btoa('admin:admin-password')}`, 'x-api-key': API_KEY };
const get = async (path: string) => (await fetch(`${api.url}${path}`, { headers: admin })).status;
/** The newest jobs in a state, as Bull Board shows them. */
const shownOnBoard = async (state: string) => {
  const path = `/admin/queues/api/queues?activeQueue=appointment-emissions&status=${state}&page=1`;
  return (await fetch(`${api.url}${path}`, { headers: admin })).text();
};

const good = (emissionId: string) => ({
  v: 1,
  event: 'appointment:updated',
  appointmentId,
  companyId: company.companyId,
  emissionId,
  acceptedAt: new Date().toISOString(),
});

/** A job that is damaged while both queues are paused; then the worker takes it up. */
async function damaged(
  damage: (key: string) => Promise<unknown>,
  data: object = {},
  name = 'appointment:updated',
) {
  const emissionId = randomUUID();
  await world.jobs.pause();
  await world.queue.add(name, { ...good(emissionId), ...data }, { jobId: emissionId, attempts: 3 });
  await damage(world.queue.toKey(emissionId));
  await world.jobs.resume();
  return emissionId;
}
const field = (name: string, value: string) => (key: string) => world.redis.hset(key, name, value);
const unharmed = () => Promise.resolve();

/** Requests of operators and bots are still answered, and the next emission arrives. */
async function staysUsable(emissionId: string): Promise<void> {
  expect(await get(`/api/v1/internal/socket/emissions/${emissionId}`)).not.toBe(503);
  expect(await get(`/api/v1/internal/socket/emissions?appointmentId=${appointmentId}`)).toBe(200);
  expect(await get('/api/v1/internal/metrics')).toBe(200);
  expect(await get('/admin/api/overview')).toBe(200);
  expect(await get('/admin/queues/api/queues?activeQueue=appointment-emissions&status=failed')).toBe(200);
  expect(await world.queue.getJobCountByTypes('active')).toBe(0);
  const next = await world.emit(api, 'appointment-updated', appointmentId);
  await dashboard.receive(({ meta }) => meta.emissionId === next);
}

const asType = (write: (key: string) => Promise<unknown>) => async (key: string) => {
  await world.redis.del(key);
  await write(key);
};
const UNREADABLE: [what: string, damage: (key: string) => Promise<unknown>, data?: object, name?: string][] =
  [
    ['data that is no JSON', field('data', 'garbage')],
    ['data that is null', field('data', 'null')],
    ['data that is an array', field('data', '[]')],
    ['data that is text', field('data', '"x"')],
    ['data of other fields', field('data', '{"garbage":1}')],
    ['data of a company that is an object', unharmed, { companyId: {} }],
    ['data of an appointment that is a number', unharmed, { appointmentId: 5 }],
    ['data of a huge emission id', unharmed, { emissionId: 'x'.repeat(1_000_000) }],
    ['data of no time', unharmed, { acceptedAt: 'soon' }],
    ['data of an unknown event', unharmed, { event: 'appointment:garbage' }],
    ['another event for a name', unharmed, {}, 'appointment:created'],
    ['the canary’s name', unharmed, {}, 'canary'],
    ['an unknown name', unharmed, {}, 'garbage'],
    ['options that are no JSON', field('opts', 'garbage')],
    ['options that are null', field('opts', 'null')],
    ['attempts that are an object', field('opts', '{"attempts":{"toString":1}}'), { event: 'garbage' }],
    ['progress that is no JSON', field('progress', 'garbage')],
    ['a parent that is no JSON', field('parent', 'garbage')],
    ['a key of a repeated job', field('rjk', 'x')],
    ['a count of attempts that is text', field('atm', 'x')],
    ['a count of attempts that is NaN', field('atm', 'NaN')],
    ['a count of starts that is text', field('ats', 'x')],
    ['stack traces that are no texts', field('stacktrace', '[1,null,{"toString":1}]'), { event: 'garbage' }],
    ['nothing: it is gone', (key) => world.redis.del(key)],
    ['a text in its place', asType((key) => world.redis.set(key, 'garbage'))],
    ['a list in its place', asType((key) => world.redis.rpush(key, 'garbage'))],
    ['a stream in its place', asType((key) => world.redis.xadd(key, '*', 'garbage', 'x'))],
  ];
test.each(UNREADABLE.map(([what, ...how]) => ({ what, how })))(
  'a job with $what fails at once and is shown, and other jobs run',
  async ({ how }) => {
    const emissionId = await damaged(...how);
    await eventually(
      'the job to fail',
      async () => (await world.queue.getJobState(emissionId)) === 'failed',
      30_000,
    );
    const [reason] = await world.redis.hmget(world.queue.toKey(emissionId), 'failedReason');
    expect(reason).toMatch(/^JOB_INVALID: /);
    await staysUsable(emissionId);
  },
);

test.each<[string, string, string]>([
  ['options that are a number', 'opts', '1'],
  ['progress that is empty', 'progress', ''],
  ['a priority that is text', 'priority', 'x'],
  ['a delay that is text', 'delay', 'x'],
  ['a time that is text', 'timestamp', 'x'],
  ['stack traces that are text', 'stacktrace', '"x"'],
  ['a result that is no JSON', 'returnvalue', 'garbage'],
  ['a count of stalls that is text', 'stc', 'x'],
])('a job with %s is emitted', async (_, name, value) => {
  const emissionId = await damaged(field(name, value));
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  await world.jobIn(emissionId, 'completed');
  await staysUsable(emissionId);
});

test.each<[string, string, string]>([
  ['a result that is a number', 'returnvalue', '1'],
  ['a result of other types', 'returnvalue', '{"epoch":1,"offset":"x","publishedAt":{}}'],
  ['an end that is text', 'finishedOn', 'x'],
  ['an end that no date can hold', 'finishedOn', '9'.repeat(20)],
  ['a start that is text', 'processedOn', 'x'],
  ['a billion attempts', 'atm', '1000000000'],
  ['attempts below 0', 'atm', '-5'],
  ['data that is no JSON', 'data', 'garbage'],
  ['data that is null', 'data', 'null'],
  ['data of other types', 'data', '{"appointmentId":{},"acceptedAt":1}'],
  ['options that are no JSON', 'opts', 'garbage'],
  ['attempts that are an object', 'opts', '{"attempts":{"toString":1}}'],
  ['progress that is no JSON', 'progress', 'garbage'],
  ['a time that is text', 'timestamp', 'x'],
  ['a delay that is text', 'delay', 'x'],
  ['a count of attempts that is text', 'atm', 'x'],
  ['stack traces that are no texts', 'stacktrace', '[1,{},{"toString":1}]'],
])('a finished job with %s hides no other job from the operator', async (_, name, value) => {
  const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
  await world.jobIn(emissionId, 'completed');
  await world.redis.hset(world.queue.toKey(emissionId), name, value);
  const other = await world.emit(api, 'appointment-updated', appointmentId);
  await world.jobIn(other, 'completed');
  const response = await fetch(`${api.url}/api/v1/internal/socket/emissions?appointmentId=${appointmentId}`, {
    headers: admin,
  });
  const { emissions } = (await response.json()) as { emissions: { emissionId: string }[] };
  expect(emissions.map((shown) => shown.emissionId)).toContain(other);
  expect([200, 404]).toContain(await get(`/api/v1/internal/socket/emissions/${emissionId}`));
  expect(await shownOnBoard('completed')).toContain(other);
});

test.each<[string, (key: string) => Promise<unknown>]>([
  ['an end that is text', field('finishedOn', 'x')],
  ['an end that no date can hold', field('finishedOn', '9'.repeat(30))],
  ['data that is no JSON', field('data', 'garbage')],
  ['data that is null', field('data', 'null')],
  ['progress that is no JSON', field('progress', 'garbage')],
  ['a list in its place', asType((key) => world.redis.rpush(key, 'x'))],
])('a failed job with %s hides no other job from the operator, and repairs work', async (_, damage) => {
  // The page shows the 20 latest failures: jobs of the tests before must not fail after those of this one.
  await eventually('the bulk queue to be empty', async () => {
    const { waiting, prioritized, active, delayed } = await world.bulk.getJobCounts();
    return [waiting, prioritized, active, delayed].every((count) => count === 0);
  });
  const [one, other] = [
    await damaged(unharmed, { event: 'garbage' }),
    await damaged(unharmed, { event: 'garbage' }),
  ];
  for (const id of [one, other]) {
    await eventually('the job to fail', async () => (await world.queue.getJobState(id)) === 'failed');
  }
  await damage(world.queue.toKey(one));
  const response = await fetch(`${api.url}/admin/api/overview`, { headers: admin });
  expect(response.status).toBe(200);
  expect(await response.text()).toContain(other);
  expect(await shownOnBoard('failed')).toContain(other);
  const repaired = await fetch(`${api.url}/admin/api/retry-failed`, {
    method: 'POST',
    headers: { ...admin, 'content-type': 'application/json', origin: api.url },
    body: JSON.stringify({ since: '1h' }),
  });
  expect(repaired.status).toBe(200);
});

test.each(['wait', 'prioritized', 'delayed', 'failed'])(
  'if the queue’s list %s has another type, metrics and the operator’s page work',
  async (list) => {
    const own = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
    try {
      const quiet = await own.ready(own.api());
      await own.redis.set(own.queue.toKey(list), 'garbage');
      const headers = admin;
      expect((await fetch(`${quiet.url}/api/v1/internal/metrics`, { headers })).status).toBe(200);
      expect((await fetch(`${quiet.url}/admin/api/overview`, { headers })).status).toBe(200);
      expect((await damageCounts(quiet))['queue']).toBeGreaterThan(0);
    } finally {
      await own.close();
    }
  },
);

test('if the key of recent emission ids has another type, ids of later emissions are found', async () => {
  for (const key of await world.redis.keys(`${world.env['QUEUE_PREFIX']}:recent:*`)) {
    await world.redis.del(key);
    await world.redis.set(key, 'garbage');
  }
  expect(await get(`/api/v1/internal/socket/emissions?appointmentId=${appointmentId}`)).toBe(404);
  const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
  await eventually('the new one to be kept', async () => {
    const response = await fetch(
      `${api.url}/api/v1/internal/socket/emissions?appointmentId=${appointmentId}`,
      { headers: admin },
    );
    return (await response.text()).includes(emissionId);
  });
});
