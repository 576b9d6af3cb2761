import { expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createBookingService } from '../../demo/booking-service.ts';
import { COLLECTIONS } from '../../demo/models.ts';
import { closeAfterEach, later } from './bot-world.ts';
import { at, done, startBookings } from './booking-world.ts';
import { SOURCE_CONDITION } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

closeAfterEach();

type World = Awaited<ReturnType<typeof startBookings>>;

/** Number of pairs of scheduled appointments of one groomer or one pet that overlap. */
async function overlaps({ appointments }: World): Promise<number> {
  const rows = await appointments.find({ status: 'scheduled' }).toArray();
  let found = 0;
  for (const a of rows) {
    for (const b of rows) {
      const isSame = String(a.staffId) === String(b.staffId) || String(a.petId) === String(b.petId);
      if (
        String(a._id) < String(b._id) &&
        isSame &&
        Number(a.start) < Number(b.end) &&
        Number(b.start) < Number(a.end)
      )
        found += 1;
    }
  }
  return found;
}

test('only one of twenty concurrent bookings of the same time succeeds', async () => {
  const world = await startBookings();
  for (let round = 0; round < 10; round += 1) {
    const results = await Promise.all(
      Array.from({ length: 20 }, () => world.service.book(world.request(round * 60))),
    );
    expect(results.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'busy')).toHaveLength(19);
  }
});

test('only one of ten concurrent bookings of the same pet succeeds', async () => {
  const world = await startBookings();
  const staff = await Promise.all(Array.from({ length: 10 }, () => world.insert(COLLECTIONS.staff)));
  for (let round = 0; round < 10; round += 1) {
    const results = await Promise.all(
      staff.map((staffId) => world.service.book(world.request(round * 60, 60, { staffId }))),
    );
    expect(results.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'busy')).toHaveLength(9);
  }
});

test('random concurrent bookings, moves and cancelations never overlap', async () => {
  const world = await startBookings();
  const { service } = world;
  const random = (below: number): number => Math.floor(Math.random() * below);
  const start = (): Date => at(5 * random(36));
  const known: string[] = [];
  async function act(): Promise<void> {
    const staffId = random(2) === 0 ? world.ids.staffId : world.otherStaffId;
    const appointmentId = known[random(known.length)];
    const kind = random(3);
    if (kind === 0 || appointmentId === undefined) {
      const booked = await service.book(world.request(5 * random(36), 5 + 5 * random(12), { staffId }));
      if (booked.outcome === 'done') known.push(booked.appointment.appointmentId);
    } else if (kind === 1) await service.reschedule({ appointmentId, start: start(), staffId });
    else done(await service.cancel(appointmentId));
  }
  for (let round = 0; round < 15; round += 1) {
    await Promise.all(Array.from({ length: 16 }, act));
    expect(await overlaps(world)).toBe(0);
  }
});

test('only one of two concurrent moves to the same free time succeeds', async () => {
  const world = await startBookings();
  for (let round = 0; round < 10; round += 1) {
    const minute = round * 300;
    const ids = await Promise.all(
      [0, 60].map(
        async (after) =>
          done(await world.service.book(world.request(minute + after))).appointment.appointmentId,
      ),
    );
    const results = await Promise.all(
      ids.map((appointmentId) => world.service.reschedule({ appointmentId, start: at(minute + 180) })),
    );
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['busy', 'done']);
  }
  expect(await overlaps(world)).toBe(0);
});

test('on a database without the index, a service creates it before it writes', async () => {
  const world = await startBookings();
  const services = Array.from({ length: 6 }, () =>
    createBookingService({ connection: world.connection, companyId: world.companyId }),
  );
  const results = await Promise.all(services.map((service) => service.book(world.request(0))));
  expect(results.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
});

const CHILD = `
  const { default: mongoose } = await import('mongoose');
  const { createBookingService } = await import('${new URL('../../demo/booking-service.ts', import.meta.url).href}');
  const { createInterface } = await import('node:readline');
  const { uri, dbName, companyId, request } = JSON.parse(process.env.BOOKING);
  const connection = await mongoose.createConnection(uri, { dbName }).asPromise();
  const service = createBookingService({ connection, companyId });
  await connection.db.command({ ping: 1 });
  console.log('ready');
  for await (const start of createInterface({ input: process.stdin })) {
    console.log((await service.book({ ...request, start: new Date(start) })).outcome);
  }
  await connection.close();`;

async function startBooker(world: World): Promise<{ book: (start: Date) => Promise<string> }> {
  const { uri, dbName, companyId } = world;
  const env = childEnv({ BOOKING: JSON.stringify({ uri, dbName, companyId, request: world.request(0) }) });
  const child: ChildProcess = spawn(
    process.execPath,
    [
      `--conditions=${SOURCE_CONDITION}`,
      '--import',
      import.meta.resolve('tsx'),
      '--input-type=module',
      '-e',
      CHILD,
    ],
    { env, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  later(async () => {
    child.stdin!.end();
    await once(child, 'exit');
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('ready');
  return {
    async book(start) {
      child.stdin!.write(`${start.toISOString()}\n`);
      return String((await lines.next()).value);
    },
  };
}

test('only one of the concurrent bookings of the same time by three processes succeeds', async () => {
  const world = await startBookings();
  const bookers = await Promise.all([1, 2, 3].map(() => startBooker(world)));
  for (let round = 0; round < 20; round += 1) {
    const results = await Promise.all(bookers.map(({ book }) => book(at(round * 60))));
    expect(results.sort()).toEqual(['busy', 'busy', 'done']);
  }
  expect(await overlaps(world)).toBe(0);
});
