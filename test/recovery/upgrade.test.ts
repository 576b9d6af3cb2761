import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type JobsOptions, Worker } from 'bullmq';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectRedis } from '../../src/connections.ts';
import { QUEUE_NAME } from '../../src/contracts/names.ts';
import { LIFETIMES, logKey, orderKey, positionKey } from '../../src/emission/keys.ts';
import { createPublish } from '../../src/emission/publish.ts';
import { createReadSnapshots } from '../../src/emission/read-snapshots.ts';
import { JOB_VERSION } from '../../src/queue/emission-job.ts';
import { jobOptions, PRIORITY } from '../../src/queue/retry-policy.ts';
import type { Company } from '../harness/documents.ts';
import { spawnProcess } from '../harness/processes.ts';
import { createWorld, type World } from '../harness/world.ts';
import { tellChange } from './bot.ts';
import { checkOutLastVersion } from './last-version.ts';
import { allEqualList, openScreen } from './screens.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

const fixture = (name: string) => readFileSync(new URL(`fixtures/v1/${name}`, import.meta.url), 'utf8');
let world: World;
let company: Company;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
});
afterAll(() => world.close());
beforeEach(async () => {
  company = await world.documents.company();
});

test('a fleet that is upgraded process by process: every pair of versions works together, and no screen reloads', async () => {
  const last = await checkOutLastVersion();
  const start = async (role: 'api' | 'worker', root?: string) => {
    const spawned = await spawnProcess(role, world.env, root);
    return world.keep(spawned, spawned.stop);
  };
  const [oldApi, oldWorker] = await Promise.all([start('api', last), start('worker', last)]);
  const network = await startTcpProxy(portOf(oldApi));
  world.keep(network, network.close);
  const moving = await openScreen(world, `http://127.0.0.1:${network.port}`, company.companyId);
  await moving.becomes('live');
  const appointmentId = await company.appointment();
  const tell = (api: { url: string }, notes: string) => tellChange(world, api, company, appointmentId, notes);
  await tell(oldApi, 'old API, old worker');

  const newApi = await start('api');
  const screen = await openScreen(world, newApi.url, company.companyId);
  await screen.becomes('live');
  await tell(newApi, 'new API, old worker');
  await allEqualList(world, newApi, [moving, screen]);

  // It misses what workers of both versions publish, and is told by the newer gateway.
  network.refuse();
  const missed = await company.appointment();
  await tellChange(world, newApi, company, missed, 'missed, by the old worker');
  await start('worker');
  await oldWorker.stop();
  await tell(oldApi, 'old API, new worker');
  network.leadTo(portOf(newApi));
  network.mend();
  await allEqualList(world, oldApi, [moving, screen]);

  // And by the older gateway of what the newer worker has published.
  network.refuse();
  await tellChange(world, newApi, company, missed, 'missed, by the new worker');
  network.leadTo(portOf(oldApi));
  network.mend();
  await allEqualList(world, newApi, [moving, screen]);

  // The old gateway goes, and its dashboards with it.
  network.refuse();
  await oldApi.stop();
  await tell(newApi, 'new API, new worker');
  network.leadTo(portOf(newApi));
  network.mend();
  await allEqualList(world, newApi, [moving, screen]);
  expect(screen.notes(appointmentId)).toBe('new API, new worker');
  expect([moving.reloads, screen.reloads]).toEqual([[], []]);
}, 180_000);

describe('jobs of other versions', () => {
  let emit: (data: object, over?: JobsOptions) => Promise<string>;
  beforeAll(() => {
    world.worker();
    emit = async (data, over) => {
      const emissionId = randomId();
      await world.queue.add(
        'appointment:updated',
        { ...data, emissionId },
        {
          ...jobOptions({ attempts: 3, firstRetryDelayMs: 50 }),
          jobId: emissionId,
          ...over,
        },
      );
      return emissionId;
    };
  });

  test('a job of the first version is processed', async () => {
    const first = JSON.parse(fixture('job.json')) as object;
    const appointmentId = await company.appointment();
    const emissionId = await emit({ ...first, appointmentId, companyId: company.companyId });
    await world.jobIn(emissionId, 'completed');
  });

  test('a batch of an API that knew one queue is emitted, after live bookings', async () => {
    await world.queue.pause();
    const first = await emit(await jobData({}), { priority: PRIORITY.batch });
    const live = await emit(await jobData({}));
    await world.queue.resume();
    const [batched, booked] = [await world.jobIn(first, 'completed'), await world.jobIn(live, 'completed')];
    expect(batched.processedOn).toBeGreaterThanOrEqual(booked.processedOn!);
  });

  test('fields that a newer API may add are ignored', async () => {
    const data = await jobData({ reason: 'a field of the future', traceparent: 42 });
    await world.jobIn(await emit(data), 'completed');
  });

  test('a job of a later version is left to a newer worker, and no attempt is spent', async () => {
    const data = await jobData({ v: JOB_VERSION + 1, whatever: 'it holds' });
    const emissionId = await emit(data);
    const left = await world.jobIn(emissionId, 'delayed');
    expect([left.attemptsMade, left.data]).toEqual([0, { ...data, emissionId }]);

    const connection = connectRedis(world.env['REDIS_URL']!, 'queue', () => undefined);
    const taken: unknown[] = [];
    const newer = new Worker(QUEUE_NAME, (job) => Promise.resolve(taken.push(job.data)), {
      connection,
      prefix: world.env['QUEUE_PREFIX']!,
    });
    world.keep(newer, async () => {
      await newer.close();
      connection.disconnect();
    });
    const done = await world.jobIn(emissionId, 'completed');
    expect(taken).toEqual([{ ...data, emissionId }]);
    expect(done.attemptsMade).toBe(1);
    await newer.close();
  });

  test('where no newer worker comes within ten minutes it fails, in words; it stays, to be retried', async () => {
    const data = await jobData({ v: JOB_VERSION + 1, whatever: 'it holds' });
    const emissionId = await emit(data, { timestamp: Date.now() - 10 * 60_000 });
    const job = await world.jobIn(emissionId, 'failed');
    expect(job.failedReason).toMatch(/^JOB_INVALID: the job's v is not usable/);
    expect([job.attemptsMade, job.data]).toEqual([1, { ...data, emissionId }]);
  });

  async function jobData(over: object) {
    const [appointmentId, acceptedAt] = [await company.appointment(), new Date().toISOString()];
    const { companyId } = company;
    return { v: JOB_VERSION, event: 'appointment:updated', appointmentId, companyId, acceptedAt, ...over };
  }
});

test('scripts of the first version and of this one keep one order between them', async () => {
  const [companyId, appointmentId] = [randomId(), randomId()];
  const keys = [positionKey(companyId), logKey(companyId), orderKey(companyId, appointmentId)];
  const { redis } = world;

  // As its processes ran them.
  const first = {
    claim: async () => {
      const claimed = await redis.eval(fixture('claim.lua'), 1, keys[2]!, LIFETIMES.orderMs, randomId());
      return (claimed as string[])[0]!;
    },
    publish: async (token: string, readId = randomId()) => {
      const { positionMs, logMs, orderMs } = LIFETIMES;
      const message = [token, 'appointment:updated', appointmentId, 'e', 0, 'scheduled', 'head', 'tail'];
      const settings = [readId, randomId(), positionMs, logMs, orderMs, 100, 'channel'];
      const answer = await redis.eval(fixture('publish.lua'), 3, ...keys, ...settings, ...message);
      const [epoch, offset] = answer as [string, number];
      return { epoch, offset };
    },
  };
  const readSnapshots = createReadSnapshots({ redis, load: () => Promise.resolve(new Map()) });
  const publishNow = createPublish(redis, { logMax: 100 });
  const now = {
    claim: () => readSnapshots([{ companyId, appointmentId }]),
    publish: async ({ readId, epochs, tokens }: Awaited<ReturnType<typeof readSnapshots>>) => {
      const message = {
        ...{ appointmentId, emissionId: 'e', event: 'appointment:updated' as const, channel: 'channel' },
        ...{
          updatedAt: null,
          status: null,
          references: '',
          head: Buffer.from('head'),
          tail: Buffer.from('tail'),
        },
        claimedToken: tokens.get(keys[2]!)!,
      };
      const read = { readId, epoch: epochs.get(companyId)! };
      return (await publishNow(companyId, read, [message]))[0] ?? { epoch: read.epoch, offset: 0 };
    },
  };

  const offsets: number[] = [];
  const epochs = new Set<string>();
  const note = ({ epoch, offset }: { epoch: string; offset: number }) => {
    epochs.add(epoch);
    offsets.push(offset);
  };
  for (let n = 0; n < 2; n += 1) {
    note(await now.publish(await now.claim()));
    note(await first.publish(await first.claim()));
  }
  // Each refuses what was claimed before the other one published.
  const [old, late] = [await first.claim(), await now.claim()];
  note(await now.publish(late));
  note(await first.publish(old));
  const [older, later] = [await now.claim(), await first.claim()];
  note(await first.publish(later));
  note(await now.publish(older));
  expect(offsets).toEqual([1, 2, 3, 4, 5, 0, 6, 0]);
  expect(epochs.size).toBe(1);
});

const portOf = ({ url }: { url: string }) => Number(new URL(url).port);
const randomId = () => randomBytes(12).toString('hex');
