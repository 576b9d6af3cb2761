import { expect, test } from '@jest/globals';
import { useFleet } from './world.ts';

const fleets = useFleet();
const START_MS = Date.UTC(2026, 10, 23, 9, 0, 3);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

test('a count leaves one window after the other, and never the total', async () => {
  const fleet = fleets.start();
  const worker = fleet.process({ now: () => START_MS });
  worker.count('appointment:created', 'published', 2);
  worker.observe('total', 40);
  await worker.flush();

  const after = async (ms: number) => {
    const { overall, latencyMs } = await fleet.read(() => START_MS + ms);
    expect(overall.total.published).toBe(2);
    for (const window of ['1m', '5m', '1h'] as const)
      expect(latencyMs.total[window].count * 2).toBe(overall[window].published);
    return [overall['1m'].published, overall['5m'].published, overall['1h'].published];
  };
  expect(await after(0)).toEqual([2, 2, 2]);
  expect(await after(MINUTE)).toEqual([2, 2, 2]);
  expect(await after(MINUTE + 10 * SECOND)).toEqual([0, 2, 2]);
  expect(await after(5 * MINUTE)).toEqual([0, 2, 2]);
  expect(await after(5 * MINUTE + 10 * SECOND)).toEqual([0, 0, 2]);
  expect(await after(60 * MINUTE)).toEqual([0, 0, 2]);
  expect(await after(61 * MINUTE)).toEqual([0, 0, 0]);
});

test('a window is the sum of its counts', async () => {
  const fleet = fleets.start();
  let nowMs = START_MS;
  const worker = fleet.process({ now: () => nowMs });
  for (let minute = 0; minute < 10; minute++) {
    worker.count('appointment:updated', 'published', 2 ** minute);
    await worker.flush();
    nowMs += MINUTE;
  }
  const { overall } = await fleet.read(() => nowMs - MINUTE);
  expect(overall['1m'].published).toBe(512 + 256);
  expect(overall['5m'].published).toBe(512 + 256 + 128 + 64 + 32 + 16);
  expect(overall['1h'].published).toBe(1023);
});

test('slots use the clock of Redis, not those of processes', async () => {
  const fleet = fleets.start();
  const worker = fleet.process();
  worker.count('appointment:created', 'published');
  await worker.flush();
  const [seconds] = await fleet.redis.time();
  const { at, overall } = await fleet.read();
  expect(Math.abs(Date.parse(at) - Number(seconds) * 1000)).toBeLessThan(5_000);
  expect(overall['1m'].published).toBe(1);
});

test('every key except the totals expires later than the longest window that reads it, and has one hash tag', async () => {
  const fleet = fleets.start();
  const gateway = fleet.process();
  gateway.count('appointment:created', 'published');
  gateway.observe('load', 3);
  gateway.heartbeat({ role: 'gateway', id: 'a', sockets: 1, companies: ['x'] });
  await gateway.flush();

  const lasting: Record<string, number> = {};
  for (const key of await fleet.keys()) {
    expect(key.startsWith(`{${fleet.prefix}}:`)).toBe(true);
    const kind = String(key.split(':')[1]) + (key.endsWith(':latencies') ? ':latencies' : '');
    lasting[kind] = await fleet.redis.pttl(key);
  }
  // `live` and `beats` hold one entry per process and are swept by every heartbeat.
  expect(lasting).toMatchObject({ total: -1, live: -1, beats: -1 });
  for (const kind of ['', ':latencies']) {
    expect(lasting[`slot${kind}`]).toBeGreaterThan(5 * MINUTE + 10 * SECOND);
    expect(lasting[`slot${kind}`]).toBeLessThanOrEqual(7 * MINUTE);
    expect(lasting[`minute${kind}`]).toBeGreaterThan(61 * MINUTE);
    expect(lasting[`minute${kind}`]).toBeLessThanOrEqual(65 * MINUTE);
  }
  expect(lasting.seq).toBeGreaterThan(0);
  expect(lasting.companies).toBeGreaterThan(0);
});
