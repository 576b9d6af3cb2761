import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { PAIRS, startApplication } from './application.ts';

let world: World;
let company: Company;
let appointmentId: string;
beforeEach(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  company = await world.documents.company();
  appointmentId = await company.appointment();
});
afterEach(() => world.close());

describe.each(PAIRS)('in a transaction of $name', (pair) => {
  test('an emission is enqueued once after the commit, never after an abort', async () => {
    const { connection, emissions } = await startApplication(world, pair, { worker: false });
    const appointments = connection.db!.collection('appointments');
    const _id = new connection.base.Types.ObjectId(appointmentId);
    const enqueued = async () => (await world.queue.getJobs()).length;
    const session = await connection.startSession();

    session.startTransaction();
    await appointments.updateOne({ _id }, { $set: { notes: 'aborted' } }, { session });
    expect(await emissions.updated(_id, { session })).toBe(true);
    await session.abortTransaction();

    let attempts = 0;
    await session.withTransaction(async () => {
      attempts += 1;
      await appointments.updateOne({ _id }, { $set: { notes: 'committed' } }, { session });
      await emissions.updated(_id, { session });
      await emissions.updated(_id, { session });
      expect(await enqueued()).toBe(0);
      if (attempts === 1) {
        const error = new connection.base.mongo.MongoServerError({ message: 'a conflict' });
        error.addErrorLabel('TransientTransactionError');
        throw error;
      }
    });
    expect(attempts).toBe(2);
    await eventually('the emission', async () => (await enqueued()) > 0);

    await emissions.canceled(_id, { session });
    await eventually('the emission without a transaction', async () => (await enqueued()) === 2);
    await session.endSession();
    expect((await world.queue.getJobs()).map(({ name }) => name).sort()).toEqual([
      'appointment:canceled',
      'appointment:updated',
    ]);
  });
});
