import { afterEach, expect, test } from '@jest/globals';
import type { Queue } from 'bullmq';
import type { FleetMetricsReading } from '@appointment-emissions/contracts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { admin, fleetMetrics, quietWorld } from './admin.ts';

const BACKLOG = 5_000;

let world: World;
afterEach(() => world.close());

test('a backlog of batches does not delay a live booking', async () => {
  world = await quietWorld({ WORKER_CONCURRENCY: '10' });
  const api = await world.api();
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const emissions = Array.from({ length: 1_000 }, () => ({ event: 'appointment:updated', appointmentId }));
  for (let sent = 0; sent < BACKLOG; sent += emissions.length) {
    // A 500 means that MongoDB was too slow on a busy machine, and that nothing was enqueued.
    await eventually(
      'a batch to be accepted',
      async () => (await world.post(api, 'batch', { emissions })).status === 202,
    );
  }
  const position = async () =>
    Number(await world.redis.hget(world.keys.position(company.companyId), 'offset'));
  const booked = await company.appointment();
  world.worker();
  await eventually('the worker to be at the backlog', async () => (await position()) > 0);

  const emissionId = await world.emit(api, 'appointment-created', booked);
  const job = await world.jobIn(emissionId, 'completed');
  expect((job.returnvalue as { offset: number }).offset).toBeLessThan(BACKLOG / 2);
  expect(await world.bulk.getPrioritizedCount()).toBeGreaterThan(0);
});

test('a mass retry moves jobs from the live queue to the bulk queue, behind batches', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const failed = await world.emit(api, 'appointment-created', appointmentId);
  const restore = await world.documents.giveAway();
  const worker = world.worker();
  await world.jobIn(failed, 'failed');
  await worker.close();
  await restore();

  expect((await admin(api, 'retry-failed', { since: '1h' })).body).toMatchObject({ matched: 1, repaired: 1 });
  const answer = await world.post(api, 'batch', {
    emissions: [{ event: 'appointment:updated', appointmentId }],
  });
  const { results } = (await answer.json()) as { results: { emissionId: string }[] };
  const live = await world.emit(api, 'appointment-updated', appointmentId);
  const batch = results[0]!.emissionId;
  const idsIn = async (queue: Queue) =>
    (await queue.getJobs(['waiting', 'prioritized', 'failed'], 0, -1, true)).map(({ id }) => id);
  expect(await idsIn(world.queue)).toEqual([live]);
  expect(await idsIn(world.bulk)).toEqual([batch, failed]);

  const dashboard = await world.dashboard(api, company.companyId);
  world.worker();
  for (const id of [live, batch, failed]) await dashboard.receive(({ meta }) => meta.emissionId === id);
  expect(await world.jobIn(failed, 'completed')).toMatchObject({ attemptsMade: 1 });
});

test('failed emissions of a batch are repaired like all others, one at a time or together', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const company = await world.documents.company();
  const appointmentIds = [await company.appointment(), await company.appointment()];
  const answer = await world.post(api, 'batch', {
    emissions: appointmentIds.map((appointmentId) => ({ event: 'appointment:updated', appointmentId })),
  });
  const { results } = (await answer.json()) as { results: { emissionId: string }[] };
  const ids = results.map(({ emissionId }) => emissionId);
  const restore = await world.documents.giveAway();
  world.worker();
  for (const id of ids) await world.jobIn(id, 'failed');
  await restore();

  const { failures } = (await admin(api, 'overview')).body as { failures: Record<string, string>[] };
  expect(failures.map(({ emissionId }) => emissionId).sort()).toEqual([...ids].sort());
  expect(failures.map(({ queue }) => queue)).toEqual([world.bulk.name, world.bulk.name]);
  expect((await admin(api, 'retry', { emissionId: ids[0] })).status).toBe(200);
  await world.jobIn(ids[0]!, 'completed');
  expect((await admin(api, 'retry-failed', { since: '1h' })).body).toMatchObject({ matched: 1, repaired: 1 });
  await world.jobIn(ids[1]!, 'completed');
});

test('the durations of a batch are in their own stage, not in those of live bookings', async () => {
  world = await quietWorld();
  const api = await world.api();
  world.worker();
  const appointmentId = await (await world.documents.company()).appointment();
  const emissions = Array.from({ length: 3 }, () => ({ event: 'appointment:updated', appointmentId }));
  expect((await world.post(api, 'batch', { emissions })).status).toBe(202);
  await world.emit(api, 'appointment-updated', appointmentId);
  const { latencyMs } = await eventually('all to be counted', async () => {
    const reading = await fleetMetrics(api);
    return reading.overall['5m'].published === 4 ? reading : undefined;
  });
  const counts = Object.entries(latencyMs as Record<string, Record<string, { count: number }>>).map(
    ([stage, { '5m': of }]) => [stage, of!.count],
  );
  expect(Object.fromEntries(counts)).toEqual({
    ...{ accept: 1, wait: 1, load: 1, publish: 1, total: 1, browser: 0 },
    bulk: 3,
    capture: 0,
    deliver: 0,
  });
});

test('live emissions above the share of a company go to the bulk queue, where companies take turns; the admin page lists the company', async () => {
  world = await quietWorld({ MAX_LIVE_PER_COMPANY_PER_SECOND: '1' });
  const api = await world.api();
  const [flood, other] = [await world.documents.company(), await world.documents.company()];
  const [flooded, single] = [await flood.appointment(), await other.appointment()];
  const ids: string[] = [];
  for (let count = 0; count < 20; count += 1) ids.push(await world.emit(api, 'appointment-updated', flooded));
  const booked = await world.emit(api, 'appointment-created', single);
  const batch = await world.post(api, 'batch', {
    emissions: Array.from({ length: 3 }, () => ({ event: 'appointment:updated', appointmentId: single })),
  });
  expect(batch.status).toBe(202);

  const companiesIn = async (queue: Queue): Promise<string[]> =>
    (await queue.getJobs(['waiting', 'prioritized'], 0, -1, true)).map(
      ({ data }) => (data as { companyId: string }).companyId,
    );
  const inLive = await companiesIn(world.queue);
  expect(inLive.filter((id) => id === other.companyId)).toHaveLength(1);
  const moved = ids.length - (inLive.length - 1);
  expect(moved).toBeGreaterThan(10);
  const inBulk = await companiesIn(world.bulk);
  expect(inBulk).toHaveLength(moved + 3);
  expect(inBulk.slice(0, 6).filter((id) => id === other.companyId)).toHaveLength(3);
  await eventually('the company on the admin page', async () =>
    ((await fleetMetrics(api)) as FleetMetricsReading).fleet.overShare.some(
      ({ companyId, emissions }) => companyId === flood.companyId && emissions === moved,
    ),
  );

  const dashboard = await world.dashboard(api, flood.companyId);
  world.worker();
  for (const id of ids) await dashboard.receive(({ meta }) => meta.emissionId === id);
  await world.jobIn(booked, 'completed');
  await eventually('each queue to count what it accepted and published', async () => {
    const { byQueue } = (await fleetMetrics(api)) as FleetMetricsReading;
    const { live, bulk } = byQueue;
    return (['5m', 'total'] as const).every(
      (span) =>
        bulk.overall[span].accepted === moved + 3 &&
        bulk.overall[span].published === moved + 3 &&
        live.overall[span].accepted === ids.length - moved + 1 &&
        live.overall[span].published === live.overall[span].accepted,
    );
  });
});

test('many lists that the dashboards of a company request at once are read one after the other; the metrics list the company', async () => {
  world = await quietWorld();
  const api = await world.api();
  const [crowd, other] = [await world.documents.company(), await world.documents.company()];
  await crowd.appointment();
  const list = async (companyId: string, day: number): Promise<number> => {
    const from = new Date(Date.UTC(2026, 0, day)).toISOString();
    const response = await fetch(`${api.url}/api/v1/dashboard/appointments?from=${from}`, {
      headers: { authorization: `Bearer ${await world.token(companyId)}` },
    });
    await response.arrayBuffer();
    return response.status;
  };
  const requested = Array.from({ length: 60 }, (_, day) => list(crowd.companyId, day));
  const statuses = await Promise.all([...requested, list(other.companyId, 0)]);
  // A 500 means that MongoDB was too slow on a busy machine.
  expect(statuses.filter((status) => status !== 200 && status !== 500)).toEqual([]);
  const dashboard = await world.dashboard(api, crowd.companyId);
  const { delayedReads, sockets } = await eventually('the company with its dashboard', async () =>
    ((await fleetMetrics(api)) as FleetMetricsReading).fleet.busiest.find(
      ({ companyId, sockets: connected }) => companyId === crowd.companyId && connected === 1,
    ),
  );
  expect(sockets).toBe(1);
  expect(delayedReads).toBeGreaterThan(0);
  dashboard.close();
});
