import { expect, test } from '@jest/globals';
import { APPOINTMENT_EVENTS } from '@appointment-emissions/contracts';
import { ERROR_CODES } from '../../src/errors.ts';
import { registerFleetGauges } from '../../src/metrics/fleet-gauges.ts';
import type { Fleet } from '../../src/metrics/fleet/read-fleet.ts';
import type { Metrics } from '../../src/metrics/create-metrics.ts';
import type { QueuesDepth } from '../../src/metrics/queue-depth.ts';
import type { QueueStates } from '../../src/metrics/queue-state.ts';
import { useFleet } from './world.ts';

const fleets = useFleet();
const DEPTH: QueuesDepth = {
  waiting: 1,
  prioritized: 2,
  delayed: 3,
  active: 4,
  failed: 5,
  oldestWaitingAgeMs: 1_500,
  oldestLiveWaitingAgeMs: 1_500,
  oldestBulkWaitingAgeMs: null,
  byQueue: {
    live: { waiting: 1, delayed: 3, active: 4, failed: 5 },
    bulk: { waiting: 2, delayed: 0, active: 0, failed: 0 },
  },
  shards: [
    { shard: 0, jobs: { waiting: 3, delayed: 3, active: 4, failed: 5 }, oldestWaitingAgeMs: 1_500 },
    // Its Redis node does not answer.
    { shard: 1, jobs: null, oldestWaitingAgeMs: null },
  ],
};
const STATES: QueueStates = {
  live: { paused: true, concurrency: null, rateLimit: null },
  bulk: { paused: false, concurrency: 3, rateLimit: null },
};
const FLEET: Fleet = {
  processes: {
    api: [],
    gateway: [
      {
        ...{ id: 'a', sockets: 7, sinceHeartbeatMs: 1, sinceProgressMs: null, warnings: [] },
        ...{ shards: 0, capture: null },
      },
    ],
    worker: [],
  },
  sockets: 7,
  companies: 2,
  overShare: [],
  busiest: [],
};

/** The samples of one metric, as name and labels → value. */
async function samples({ registry }: Metrics, name: string): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith(name));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

test('every event of each queue, and every error code, has a series from the start, so that the first increment shows in a rate', async () => {
  const metrics = fleets.start().process();
  for (const name of ['accepted', 'published', 'attempt_failures', 'failed'])
    expect(await samples(metrics, `emission_${name}_total`)).toEqual(
      Object.fromEntries(
        APPOINTMENT_EVENTS.flatMap((event) =>
          ['live', 'bulk'].map((queue) => [`emission_${name}_total{event="${event}",queue="${queue}"}`, 0]),
        ),
      ),
    );
  const rejected = await samples(metrics, 'emission_rejected_total');
  expect(rejected).toEqual(
    Object.fromEntries(
      Object.keys(ERROR_CODES).map((code) => [`emission_rejected_total{reason="${code}"}`, 0]),
    ),
  );
});

test('a percentile is placed within a bucket that ends at most two thirds above its beginning, up to 10 s', async () => {
  const bounds = Object.keys(
    await samples(fleets.start().process(), 'emission_stage_duration_seconds_bucket'),
  )
    .filter((name) => name.includes('stage="total"') && !name.includes('+Inf'))
    .map((name) => Number(/le="([\d.]+)"/.exec(name)![1]));
  for (const [index, bound] of bounds.entries()) {
    const before = bounds[index - 1];
    if (before !== undefined && bound <= 10)
      expect([bound, bound / before <= 5 / 3 + 1e-9]).toEqual([bound, true]);
  }
  // The limits of the alarm and of the board's colours are bounds themselves.
  expect(bounds).toEqual(expect.arrayContaining([1, 5]));
});

test('the Prometheus counters of a process and the JSON of the fleet agree', async () => {
  const fleet = fleets.start();
  const metrics = fleet.process();
  const counted = { accepted: 4, published: 3, retried: 2, failed: 1 } as const;
  for (const [outcome, n] of Object.entries(counted))
    metrics.count('appointment:updated', outcome as keyof typeof counted, n);
  metrics.reject('UNAUTHORIZED');
  metrics.observe('accept', 250);
  await metrics.flush();

  expect((await fleet.read()).events['appointment:updated']['5m']).toMatchObject(counted);
  metrics.count('appointment:updated', 'failed', 2, 'bulk');
  const updated = '{event="appointment:updated",queue="live"}';
  const text = await metrics.registry.metrics();
  for (const line of [
    `emission_accepted_total${updated} 4`,
    `emission_published_total${updated} 3`,
    `emission_attempt_failures_total${updated} 2`,
    `emission_failed_total${updated} 1`,
    'emission_failed_total{event="appointment:updated",queue="bulk"} 2',
    'emission_rejected_total{reason="UNAUTHORIZED"} 1',
    'emission_stage_duration_seconds_sum{stage="accept"} 0.25',
    'emission_stage_duration_seconds_bucket{le="0.1",stage="accept"} 0',
    'emission_stage_duration_seconds_bucket{le="0.25",stage="accept"} 1',
  ])
    expect(text).toContain(`${line}\n`);
});

test('two instances in one process are independent', async () => {
  const fleet = fleets.start();
  const [one, other] = [fleet.process(), fleet.process({ processMetrics: true })];
  one.count('appointment:created', 'accepted');
  const name = 'emission_accepted_total{event="appointment:created",queue="live"}';
  expect((await samples(one, name))[name]).toBe(1);
  expect((await samples(other, name))[name]).toBe(0);
  expect(await other.registry.metrics()).toContain('process_resident_memory_bytes');
});

test('queue and fleet gauges are read once for a scrape', async () => {
  const metrics = fleets.start().process();
  let readings = 0;
  registerFleetGauges({
    registry: metrics.registry,
    readQueueDepth: () => Promise.resolve(DEPTH).finally(() => readings++),
    readQueueStates: () => Promise.resolve(STATES),
    readFleet: () => Promise.resolve(FLEET),
  });
  expect(await samples(metrics, 'emission_queue')).toEqual({
    'emission_queue_jobs{state="waiting"}': 1,
    'emission_queue_jobs{state="prioritized"}': 2,
    'emission_queue_jobs{state="delayed"}': 3,
    'emission_queue_jobs{state="active"}': 4,
    'emission_queue_jobs{state="failed"}': 5,
    'emission_queue_oldest_waiting_age_seconds{queue="live"}': 1.5,
    'emission_queue_oldest_waiting_age_seconds{queue="bulk"}': 0,
    'emission_queue_paused{queue="live"}': 1,
    'emission_queue_paused{queue="bulk"}': 0,
    'emission_queue_limited{queue="live"}': 0,
    'emission_queue_limited{queue="bulk"}': 1,
  });
  expect(await samples(metrics, 'emission_shard')).toEqual({
    'emission_shard_jobs{shard="0",state="waiting"}': 3,
    'emission_shard_jobs{shard="0",state="delayed"}': 3,
    'emission_shard_jobs{shard="0",state="active"}': 4,
    'emission_shard_jobs{shard="0",state="failed"}': 5,
    'emission_shard_oldest_waiting_age_seconds{shard="0"}': 1.5,
  });
  expect(await samples(metrics, 'emission_fleet')).toEqual({
    'emission_fleet_processes{role="api"}': 0,
    'emission_fleet_processes{role="gateway"}': 1,
    'emission_fleet_processes{role="worker"}': 0,
    emission_fleet_sockets: 7,
    emission_fleet_companies: 2,
    emission_fleet_readable: 1,
  });
  expect(readings).toBe(1);
});

test.each([
  ['fails', () => Promise.reject(new Error('Redis is away'))],
  ['never answers', () => new Promise<Fleet>(() => undefined)],
])(
  'if the reading of the fleet %s, the scrape succeeds with the gauges of the queues alone',
  async (_, readFleet) => {
    const metrics = fleets.start().process();
    let broken = false;
    registerFleetGauges({
      registry: metrics.registry,
      readQueueDepth: () => Promise.resolve(DEPTH),
      readQueueStates: () => Promise.resolve(STATES),
      readFleet: () => (broken ? readFleet() : Promise.resolve(FLEET)),
      cacheMs: 0,
      timeoutMs: 50,
    });
    expect(Object.keys(await samples(metrics, 'emission_queue'))).toHaveLength(11);
    broken = true;
    expect(Object.keys(await samples(metrics, 'emission_queue'))).toHaveLength(11);
    expect(await samples(metrics, 'emission_fleet')).toEqual({ emission_fleet_readable: 0 });
  },
);
