import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createBookingService } from '../../demo/booking-service.ts';
import { connectMongo } from '../../src/population/connect.ts';
import { createLoadAppointments } from '../../src/population/load-appointments.ts';
import { createModels } from '../../src/population/models.ts';
import { until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const MARK = Buffer.from('not UTF-8: ~~');

/** A way to MongoDB on which the mark's last two bytes come back as bytes that are no UTF-8, as MongoDB may store them. */
async function startMalformer(uri: string) {
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(uri).port), '127.0.0.1');
    sockets.push(client, upstream);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream);
    upstream.on('data', (bytes: Buffer) => {
      const at = bytes.indexOf(MARK);
      if (at >= 0) bytes.fill(0xff, at + MARK.length - 2, at + MARK.length);
      client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const malformed = new URL(uri);
  malformed.port = String((server.address() as AddressInfo).port);
  malformed.searchParams.set('directConnection', 'true');
  return {
    uri: malformed.href,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test('text that is no UTF-8 is repaired: the others of its batch are read, and it can be canceled', async () => {
  const company = await world.documents.company();
  const [malformed, other] = [
    await company.appointment({ notes: MARK.toString(), source: MARK.toString() }),
    await company.appointment(),
  ];
  const malformer = await startMalformer(world.env.MONGODB_URI!);
  const mongo = connectMongo(malformer.uri, { serverSelectionMs: 2_000, onError: () => undefined });
  try {
    await until('the connection', mongo.connected);
    const load = createLoadAppointments(createModels(mongo.connection));
    const snapshots = await load([malformed, other]);
    expect(snapshots.get(malformed)?.source).toBe('not UTF-8: \ufffd\ufffd');
    expect(snapshots.get(other)?.notes).toBe('first visit');
    const { connection } = mongo;
    const bookings = createBookingService({ connection, companyId: company.companyId });
    expect(await bookings.cancel(malformed)).toMatchObject({ outcome: 'done', changed: true });
  } finally {
    await mongo.close();
    malformer.close();
  }
});
