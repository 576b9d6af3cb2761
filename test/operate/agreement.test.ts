import { afterEach, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import { freePort } from '../../scripts/process/free-port.ts';
import { createMutedUser } from '../harness/redis-users.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, type World } from '../harness/world.ts';
import { type Answer, CREDENTIALS, fleetMetrics, quietWorld } from './admin.ts';

let world: World;
afterEach(() => world.close());

const SLUGS = ['appointment-created', 'appointment-updated', 'appointment-canceled'] as const;
type Slug = (typeof SLUGS)[number];
const none = () => ({ accepted: 0, published: 0, retried: 0, failed: 0 });

/** Sums of a counter over what processes expose, by event. */
function sumByEvent(texts: string[], counter: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const text of texts) {
    for (const [, event = '', n] of text.matchAll(
      new RegExp(`^${counter}\\{event="([^"]+)",queue="[^"]+"\\} (\\d+)$`, 'gm'),
    ))
      sums[event] = (sums[event] ?? 0) + Number(n);
  }
  return sums;
}

test('JSON, Prometheus and Bull Board agree with a count of our own, successes and failures mixed', async () => {
  // One attempt, then an hour of backoff: the test starts the next attempt.
  world = await quietWorld({ EMISSION_ATTEMPTS: '3', EMISSION_BACKOFF_MS: '60000' });
  const ports = [await freePort(), await freePort()];
  const api = await world.api();
  const { url, allow } = await createMutedUser(world);
  await allow('+publish');
  for (const port of ports) world.worker({ METRICS_PORT: String(port), REDIS_URL: url });
  const company = await world.documents.company();
  const own: Record<Slug, ReturnType<typeof none>> = {
    'appointment-created': none(),
    'appointment-updated': none(),
    'appointment-canceled': none(),
  };
  let rejected = 0;

  async function accepted(slug: Slug, appointmentId: string): Promise<string> {
    own[slug].accepted += 1;
    return world.emit(api, slug, appointmentId);
  }
  async function succeeds(slug: Slug): Promise<void> {
    await world.jobIn(await accepted(slug, await company.appointment()), 'completed');
    own[slug].published += 1;
  }
  /** Its appointment belongs to another company when a worker reads it. */
  async function failsForGood(slug: Slug): Promise<void> {
    const appointmentId = await company.appointment();
    await world.jobs.pause();
    const emissionId = await accepted(slug, appointmentId);
    await world.documents.giveAway(appointmentId);
    await world.jobs.resume();
    await world.jobIn(emissionId, 'failed');
    own[slug].failed += 1;
  }
  /** The number of publishes that Redis refuses. */
  async function failsTimes(slug: Slug, times: number): Promise<void> {
    const appointmentId = await company.appointment();
    await allow('-publish');
    const emissionId = await accepted(slug, appointmentId);
    for (let failures = 1; failures <= times; failures += 1) {
      const ended = failures === 3;
      const job = await world.jobIn(emissionId, ended ? 'failed' : 'delayed');
      own[slug][ended ? 'failed' : 'retried'] += 1;
      if (ended || failures === times) await allow('+publish');
      if (ended) return;
      await job.promote();
      await eventually('the next attempt to end', async () => {
        const { attemptsMade } = (await world.jobs.get(emissionId))!;
        return attemptsMade > failures;
      });
    }
    await world.jobIn(emissionId, 'completed');
    own[slug].published += 1;
  }
  async function isRejected(appointmentId: unknown, code: string): Promise<void> {
    const answer = await world.post(api, 'appointment-created', { appointmentId });
    expect(((await answer.json()) as Answer).code).toBe(code);
    rejected += 1;
  }

  for (const slug of SLUGS) for (let n = 0; n < 5; n += 1) await succeeds(slug);
  await failsForGood('appointment-created');
  await failsForGood('appointment-canceled');
  await failsTimes('appointment-updated', 1);
  await failsTimes('appointment-created', 2);
  await failsTimes('appointment-updated', 3);
  await isRejected('no id', 'INVALID_APPOINTMENT_ID');
  await isRejected('f'.repeat(24), 'APPOINTMENT_NOT_FOUND');

  const total = Object.values(own).reduce((sum, counts) => ({
    accepted: sum.accepted + counts.accepted,
    published: sum.published + counts.published,
    retried: sum.retried + counts.retried,
    failed: sum.failed + counts.failed,
  }));
  expect(total).toEqual({ accepted: 20, published: 17, retried: 5, failed: 3 });

  // Counts reach Redis within a second.
  const json = await eventually('the JSON to agree', async () => {
    const read = await fleetMetrics(api);
    const { published, accepted, failed, retried } = read.overall.total;
    const all = { published, accepted, failed, retried };
    const isAll = Object.entries(total).every(([outcome, n]) => all[outcome as keyof typeof all] === n);
    return isAll && Object.keys(read.rejected.total).length === 2 ? read : undefined;
  });
  for (const window of ['1m', '5m', '1h', 'total'] as const) {
    expect(json.overall[window]).toMatchObject(total);
    expect(json.overall[window].successRate).toBeCloseTo(17 / 20);
    for (const slug of SLUGS) {
      expect(json.events[slug.replace('-', ':')][window]).toMatchObject(own[slug]);
    }
  }
  expect(json.rejected.total).toEqual({ INVALID_APPOINTMENT_ID: 1, APPOINTMENT_NOT_FOUND: 1 });
  expect(json.latencyMs.total['5m'].count).toBe(total.published);
  expect(json.queue.failed).toBe(total.failed);

  const texts = await Promise.all([
    fetch(`${api.url}/metrics`, { headers: { 'x-api-key': API_KEY } }).then((answer) => answer.text()),
    ...ports.map((port) => fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text())),
  ]);
  const prometheus = {
    accepted: sumByEvent(texts, 'emission_accepted_total'),
    published: sumByEvent(texts, 'emission_published_total'),
    retried: sumByEvent(texts, 'emission_attempt_failures_total'),
    failed: sumByEvent(texts, 'emission_failed_total'),
  };
  for (const slug of SLUGS) {
    for (const [outcome, n] of Object.entries(own[slug])) {
      expect([outcome, prometheus[outcome as keyof typeof prometheus][slug.replace('-', ':')]]).toEqual([
        outcome,
        n,
      ]);
    }
  }

  const board = await fetch(`${api.url}/admin/queues/api/queues`, {
    headers: { authorization: CREDENTIALS },
  });
  const { queues } = (await board.json()) as Answer;
  expect(queues[0].counts).toMatchObject({
    completed: total.published,
    failed: total.failed,
    active: 0,
    waiting: 0,
    delayed: 0,
  });
  expect(rejected).toBe(2);
});

test('a request repeated under its Idempotency-Key is accepted once', async () => {
  world = await quietWorld();
  const api = await world.api();
  const appointmentId = await (await world.documents.company()).appointment();
  for (let times = 0; times < 3; times += 1) {
    const answer = await world.post(
      api,
      'appointment-created',
      { appointmentId },
      { 'idempotency-key': 'once' },
    );
    expect(answer.status).toBe(202);
  }
  const read = await eventually('the count', async () => {
    const { overall } = await fleetMetrics(api);
    return overall.total.accepted > 0 ? overall.total : undefined;
  });
  expect(read.accepted).toBe(1);
});

test('rejections of the /internal namespace are counted by code, as over HTTP', async () => {
  world = await quietWorld();
  const api = await world.api();
  const socket = io(`${api.url}/internal`, { auth: { apiKey: API_KEY }, forceNew: true });
  world.keep(socket, () => socket.close());
  const request = { event: 'appointment:created', appointmentId: 'f'.repeat(24) };
  expect(await socket.timeout(5_000).emitWithAck('emit', request)).toMatchObject({ status: 404 });
  expect(await socket.timeout(5_000).emitWithAck('emit', {})).toMatchObject({ status: 400 });
  await eventually('both codes', async () => {
    const { total } = (await fleetMetrics(api)).rejected;
    return total.APPOINTMENT_NOT_FOUND === 1 && total.INVALID_EVENT === 1;
  });
});

test('rejected batch items, and lists and sockets without a valid token, are counted by code', async () => {
  world = await quietWorld();
  const api = await world.api();
  const appointmentId = await (await world.documents.company()).appointment();
  const item = { event: 'appointment:created', appointmentId };
  const emissions = [
    item,
    { ...item, event: 'appointment:moved' },
    { ...item, appointmentId: 'f'.repeat(24) },
    { ...item, appointmentId: 'e'.repeat(24) },
  ];
  expect((await world.post(api, 'batch', { emissions })).status).toBe(202);
  expect((await fetch(`${api.url}/api/v1/dashboard/appointments`)).status).toBe(401);
  const socket = io(api.url, { auth: { token: 'none' }, forceNew: true, reconnection: false });
  world.keep(socket, () => socket.close());
  const refused = await new Promise((resolve) => socket.once('connect_error', resolve));
  expect(refused).toMatchObject({ data: { code: 'TOKEN_INVALID' } });

  const counted = await eventually('every code', async () => {
    const { rejected, overall } = await fleetMetrics(api);
    return rejected.total.TOKEN_INVALID === 2 ? { ...rejected.total, ...overall.total } : undefined;
  });
  expect(counted).toMatchObject({ INVALID_EVENT: 1, APPOINTMENT_NOT_FOUND: 2, accepted: 1 });
});
