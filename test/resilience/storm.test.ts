import { afterEach, expect, test } from '@jest/globals';
import type { StreamPosition } from '@appointment-emissions/contracts';
import { freePort } from '../../scripts/process/free-port.ts';
import { createCompanyTurns } from '../../src/access/company-turns.ts';
import { createCatchUp } from '../../src/realtime/catch-up.ts';
import { appointment } from '../dashboard/appointment-fixture.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { startMongoTap } from '../harness/mongo-tap.ts';
import { allEqualList, openScreen } from './screens.ts';

/** `STORM_DASHBOARDS=2000 npm test -- resilience/storm` runs it at full size. */
const DASHBOARDS = Number(process.env['STORM_DASHBOARDS'] ?? 400);
const COMPANIES = 20;
const MISSED_EACH = 3;
const DEADLINE_MS = 20_000 + DASHBOARDS * 40;

let world: World;
let tap: Awaited<ReturnType<typeof startMongoTap>> | undefined;
afterEach(async () => {
  await world.close();
  await tap?.close();
});

test(
  `${DASHBOARDS} dashboards of ${COMPANIES} companies reconnect at once after a restart of their gateway: each missed appointment is read about once`,
  async () => {
    world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
    tap = await startMongoTap(world.env['MONGODB_URI']!);
    const env = { PORT: String(await freePort()), MONGODB_URI: tap.uri };
    const [gateway, other] = await Promise.all([
      world.apiProcess(env),
      world.apiProcess(),
      world.workerProcess(),
    ]);
    const companies = await Promise.all(Array.from({ length: COMPANIES }, () => world.documents.company()));
    const missed = await Promise.all(
      companies.flatMap((company) => Array.from({ length: MISSED_EACH }, () => company.appointment())),
    );
    const screens = await Promise.all(
      Array.from({ length: DASHBOARDS }, (_, index) =>
        openScreen(world, gateway.url, companies[index % COMPANIES]!.companyId, {
          timings: { reconnectMs: 1_000, longestReconnectMs: 1_000 },
        }),
      ),
    );
    const allLive = () => screens.every(({ dashboard }) => dashboard.state === 'live');
    await eventually('every dashboard to be live', allLive, DEADLINE_MS);

    gateway.kill('SIGKILL');
    await gateway.exited;
    // Each is emitted twice: a replay of both entries needs one read.
    for (const event of ['appointment:created', 'appointment:updated']) {
      const emissions = missed.map((appointmentId) => ({ event, appointmentId }));
      expect((await world.post(other, 'batch', { emissions })).status).toBe(202);
    }
    await eventually(
      'all to be published',
      async () => (await world.jobs.count('completed')) === 2 * missed.length,
    );
    const before = tap.finds.length;
    const startedAt = Date.now();
    await world.apiProcess(env);
    await eventually(
      'every dashboard to have caught up',
      () => allLive() && screens.every(({ shownEvents }) => shownEvents.length > 0),
      DEADLINE_MS,
    );
    const tookMs = Date.now() - startedAt;

    const reads = tap.finds.slice(before).filter(({ collection }) => collection === 'appointments');
    const read = reads.flatMap(({ ids }) => ids);
    expect(new Set(read)).toEqual(new Set(missed));
    // Reads are shared for ten seconds; a slower machine reads again.
    expect(read.length).toBeLessThanOrEqual(missed.length * (1 + Math.ceil(tookMs / 10_000)));
    expect(screens.flatMap(({ reloads }) => reloads)).toEqual([]);
    await allEqualList(world, other, screens.slice(0, COMPANIES));
    if (process.env['STORM_DASHBOARDS'])
      console.log({
        dashboards: DASHBOARDS,
        missed: missed.length,
        read: read.length,
        finds: reads.length,
        tookMs,
      });
  },
  60_000 + 3 * DEADLINE_MS,
);

test('dashboards that reconnect one after the other share reads; without sharing, each reads everything', async () => {
  const entries = ['a', 'b', 'c'].map((appointmentId, index) => ({
    offset: index + 1,
    event: 'appointment:updated' as const,
    appointmentId,
    emissionId: `e${index}`,
  }));
  const head = { epoch: 'e', offset: 3 };
  const read: string[] = [];
  const create = () =>
    createCatchUp({
      readLog: () => Promise.resolve({ head, entries }),
      head: () => Promise.resolve(head),
      takeSnapshots: (_company, ids) => {
        read.push(...ids);
        const taken = ids.map(
          (_id) => [_id, { ...head, read: 1, appointment: appointment({ _id }) }] as const,
        );
        return Promise.resolve(new Map(taken));
      },
      turns: createCompanyTurns(),
      replayLimit: 10,
    });
  const shared = create();
  for (let n = 0; n < 10; n += 1) await shared('company', { epoch: 'e', offset: 0 });
  expect(read).toEqual(['a', 'b', 'c']);
  // Not shared: another company, and an appointment that was emitted again.
  await shared('other', { epoch: 'e', offset: 0 });
  expect(read).toHaveLength(6);
  head.offset = 4;
  entries.push({ ...entries[0]!, offset: 4 });
  await shared('company', { epoch: 'e', offset: 3 });
  expect(read).toHaveLength(7);
  for (let n = 0; n < 10; n += 1) await create()('company', { epoch: 'e', offset: 0 });
  expect(read).toHaveLength(7 + 30);
});

test('dashboards that were disconnected at different times share a read of the log, and each gets what it missed', async () => {
  const head = { epoch: 'e', offset: 20 };
  const reads: number[] = [];
  const catchUp = createCatchUp({
    readLog: (_company, { epoch, offset }, limit) => {
      reads.push(offset);
      if (epoch !== head.epoch) return Promise.resolve({ head, entries: [], missing: 'epoch' });
      if (head.offset - offset > limit) return Promise.resolve({ head, entries: [], missing: 'too-many' });
      const entries = Array.from({ length: head.offset - offset }, (_, index) => ({
        offset: offset + 1 + index,
        event: 'appointment:updated' as const,
        appointmentId: 'a',
        emissionId: `e${offset + 1 + index}`,
      }));
      return Promise.resolve({ head, entries });
    },
    head: () => Promise.resolve(head),
    takeSnapshots: (_company, [_id = '']) =>
      Promise.resolve(new Map([[_id, { ...head, read: 1, appointment: appointment({ _id }) }]])),
    turns: createCompanyTurns(),
    replayLimit: 10,
  });
  const replays = (positions: StreamPosition[]) =>
    Promise.all(
      positions.map(async (from) => {
        const { events, position } = await catchUp('company', from);
        return [events.map(({ meta }) => meta.emissionId), position.recovered || position.reason];
      }),
    );
  const at = (offset: number, epoch = 'e') => ({ epoch, offset });
  expect(await replays([at(18), at(20), at(17), at(18)])).toEqual([
    [['e19', 'e20'], true],
    [[], true],
    [['e18', 'e19', 'e20'], true],
    [['e19', 'e20'], true],
  ]);
  expect(reads).toEqual([17]);
  // Each entry is converted once for all of them.
  const [longer, shorter] = await Promise.all([at(14), at(15)].map((from) => catchUp('company', from)));
  expect(shorter!.events).toHaveLength(5);
  for (const [index, event] of shorter!.events.entries()) expect(event).toBe(longer!.events[index + 1]);

  // Positions that cannot be replayed cost at most one further read.
  reads.length = 0;
  expect(await replays([at(19), at(3, 'f'), at(4), at(5), at(21), at(15, 'g')])).toEqual([
    [['e20'], true],
    [[], 'epoch'],
    [[], 'too-many'],
    [[], 'too-many'],
    [[], 'epoch'],
    [[], 'epoch'],
  ]);
  expect(reads).toEqual([3, 19]);
});
