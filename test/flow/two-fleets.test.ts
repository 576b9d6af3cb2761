import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Types } from 'mongoose';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World, withDatabase } from '../harness/world.ts';

const name = `fleet${process.pid}`;
const base = process.env['TEST_REDIS_URL']!;

describe('live events', () => {
  let first: World;
  beforeAll(async () => {
    first = await createFleet({ REDIS_URL: base, QUEUE_PREFIX: `{${name}}` });
  }, 60_000);
  afterAll(() => first.close());

  test.each<[string, Record<string, string>]>([
    ['another database', { REDIS_URL: withDatabase(base, 5), QUEUE_PREFIX: `{${name}}` }],
    ['another queue prefix', { REDIS_URL: base, QUEUE_PREFIX: `{${name}-b}` }],
  ])(
    'fleets on one Redis server with %s do not receive each other’s live events, also of the same company',
    async (_, env) => {
      const second = await createFleet(env);
      try {
        const company = await first.documents.company();
        const appointmentId = await company.appointment();
        const [apiA, apiB] = await Promise.all([first.ready(first.api()), second.ready(second.api())]);
        first.worker();
        const near = await first.dashboard(apiA, company.companyId);
        const far = await second.dashboard(apiB, company.companyId);
        // Redis delivers messages in order: if the second arrived here, the first would have arrived there.
        for (let emitted = 1; emitted <= 2; emitted += 1) {
          const emissionId = await first.emit(apiA, 'appointment-updated', appointmentId);
          await near.receive(({ meta }) => meta.emissionId === emissionId);
        }
        expect(far.received).toEqual([]);
      } finally {
        await second.close();
      }
    },
    60_000,
  );
});

/** Both fleets have a company of the same id, as a copy of the production database has. */
describe('fleets with different queue prefixes in one database of Redis', () => {
  const inOneDatabase = withDatabase(base, 6);
  const prefixes = [`{${name}-c}`, `{${name}-d}`] as const;
  const companyId = new Types.ObjectId().toHexString();
  let [first, second]: World[] = [];
  let [apiA, apiB]: RunningApi[] = [];
  let [companyA, companyB]: Company[] = [];
  beforeAll(async () => {
    const fleets = await Promise.all(
      prefixes.map(async (prefix) => {
        const world = await createFleet({
          REDIS_URL: inOneDatabase,
          QUEUE_PREFIX: prefix,
          CANARY_INTERVAL_MS: '200',
          RECONCILE_INTERVAL_MS: '500',
          MAX_REQUESTS_PER_SECOND: '100',
        });
        const company = await world.documents.company(companyId);
        const api = await world.ready(world.api());
        world.worker();
        return { world, company, api };
      }),
    );
    [first, second] = fleets.map(({ world }) => world);
    [companyA, companyB] = fleets.map(({ company }) => company);
    [apiA, apiB] = fleets.map(({ api }) => api);
  }, 60_000);
  afterAll(() => Promise.all([first?.close(), second?.close()]));

  test('have separate positions for the same company, and replay only their own emissions', async () => {
    const [idA, idB] = [await companyA!.appointment(), await companyB!.appointment()];
    const screenA = await first!.dashboard(apiA!, companyId);
    const screenB = await second!.dashboard(apiB!, companyId);
    for (let emitted = 1; emitted <= 3; emitted += 1) {
      const emissionId = await first!.emit(apiA!, 'appointment-updated', idA);
      await screenA.receive(({ meta }) => meta.emissionId === emissionId);
    }
    const emissionId = await second!.emit(apiB!, 'appointment-updated', idB);
    const { meta } = await screenB.receive((received) => received.meta.emissionId === emissionId);
    expect(meta.offset).toBe(1);

    const moved = await second!.dashboard(apiB!, companyId, {
      position: { epoch: screenA.received[0]!.meta.epoch, offset: 1 },
    });
    expect(moved.positions[0]).toMatchObject({ epoch: meta.epoch, recovered: false, reason: 'epoch' });
    const back = await second!.dashboard(apiB!, companyId, { position: { epoch: meta.epoch, offset: 0 } });
    expect(back.positions[0]).toMatchObject({ epoch: meta.epoch, recovered: true });
    expect(back.received.map((received) => received.meta.emissionId)).toEqual([emissionId]);
  }, 60_000);

  test('have separate order tokens for the same appointment: each sweep finds the writes that its own fleet did not publish', async () => {
    const at = new Date(Date.now() - 20_000);
    const appointmentId = await companyA!.appointment({ createdAt: at, updatedAt: at });
    await first!.jobIn(await first!.emit(apiA!, 'appointment-updated', appointmentId), 'completed');
    const _id = new Types.ObjectId(appointmentId);
    await companyB!.appointment({ _id, createdAt: at, updatedAt: at });
    await eventually(
      'the sweep of the other fleet to find the same write',
      async () => {
        const jobs = await second!.jobs.in('completed', 'waiting', 'prioritized', 'active');
        return jobs.some(({ id }) => id?.startsWith(`sweep-${appointmentId}-`));
      },
      20_000,
    );
  }, 60_000);

  test('have separate idempotency keys: a key that was used in one fleet is new to the other', async () => {
    const appointmentId = await companyA!.appointment();
    await companyB!.appointment({ _id: new Types.ObjectId(appointmentId) });
    const headers = { 'Idempotency-Key': randomUUID() };
    const post = async (world: World, api: RunningApi) => {
      const response = await world.post(api, 'appointment-updated', { appointmentId }, headers);
      return ((await response.json()) as { emissionId: string }).emissionId;
    };
    const idA = await post(first!, apiA!);
    const idB = await post(second!, apiB!);
    expect(idB).not.toBe(idA);
    expect(await post(second!, apiB!)).toBe(idB);
  });

  test('every key in Redis begins with the name of its fleet’s queue prefix', async () => {
    const appointmentId = await companyA!.appointment();
    const seen = new Set<string>();
    await eventually('each kind of key to be written', async () => {
      // Counts of a rate limit last for a second only.
      const emissions = [{ event: 'appointment:updated', appointmentId }];
      expect((await first!.post(apiA!, 'batch', { emissions })).status).toBe(202);
      for (const key of await first!.redis.keys('*')) seen.add(kindOf(key));
      return KEY_KINDS.every((kind) => seen.has(kind));
    });
    expect([...seen].sort()).toEqual(KEY_KINDS);
  });
});

/** All that the product writes: the hash tag, then the first word after it. */
const KEY_KINDS = [
  '{fleet-metrics}:beats',
  '{fleet-metrics}:companies',
  '{fleet-metrics}:live',
  '{fleet-metrics}:minute',
  '{fleet-metrics}:seq',
  '{fleet-metrics}:slot',
  '{fleet-metrics}:total',
  '{fleet:company:id}:log',
  '{fleet:company:id}:order',
  '{fleet:company:id}:position',
  '{fleet:company:id}:published',
  '{fleet}:appointment-emissions',
  '{fleet}:appointment-emissions-bulk',
  '{fleet}:canary',
  '{fleet}:idempotency',
  '{fleet}:published',
  '{fleet}:rate',
  '{fleet}:recent',
  '{fleet}:sweep',
];

function kindOf(key: string): string {
  const [tag = '', kind = ''] = key.split('}:');
  const named = tag.replace(new RegExp(`^\\{${name}-[cd]`), '{fleet').replace(/[0-9a-f]{24}$/, 'id');
  return `${named}}:${kind.split(':')[0]}`;
}

/** With the default name of its channels. */
async function createFleet(env: Record<string, string>): Promise<World> {
  return createWorld({ redisUrl: env['REDIS_URL']!, env: { ...env, SOCKET_ADAPTER_KEY: '' } });
}
