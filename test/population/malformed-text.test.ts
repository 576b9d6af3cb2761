import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createBookingService } from '../../demo/booking-service.ts';
import { connectMongo } from '../../src/population/connect.ts';
import { createLoadAppointments } from '../../src/population/load-appointments.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createModels } from '../../src/population/models.ts';
import { until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { startRewritingProxy } from './rewriting-proxy.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const MARK = Buffer.from('not UTF-8: ~~');

test('text that is not UTF-8 is repaired: the rest of its batch is read, and the appointment can be canceled', async () => {
  const company = await world.documents.company();
  const [malformed, other] = [
    await company.appointment({ notes: MARK.toString(), source: MARK.toString() }),
    await company.appointment(),
  ];
  // The mark's last two bytes come back as bytes that are not UTF-8, as MongoDB can store them.
  const malformer = await startRewritingProxy(world.env.MONGODB_URI!, {
    received: (bytes) => {
      const at = bytes.indexOf(MARK);
      if (at >= 0) bytes.fill(0xff, at + MARK.length - 2, at + MARK.length);
    },
  });
  const mongo = connectMongo(malformer.uri, { serverSelectionMs: 2_000, onError: () => undefined });
  try {
    await until('the connection', mongo.connected);
    const load = createLoadAppointments(createModels(mongo.connection, DEFAULT_MODEL));
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
