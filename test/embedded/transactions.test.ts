import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { createEmbeddedWorld, PAIRS, startApplication } from './application.ts';

let world: World;
let appointmentId: string;
beforeEach(async () => {
  ({ world, appointmentId } = await createEmbeddedWorld());
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

  test('a deletion without the id of a company is refused at once', async () => {
    const { connection, emissions, lines } = await startApplication(world, pair, { worker: false });
    const session = await connection.startSession();
    session.startTransaction();
    for (const company of [undefined, 'not an id', {}])
      expect(await emissions.deleted(appointmentId, company, { session })).toBe(false);
    await session.abortTransaction();
    await session.endSession();
    expect(await emissions.deleted(appointmentId, null)).toBe(false);
    const line = {
      level: 'error',
      message: `[InternalSocket] Failed to emit appointment:deleted for ${appointmentId}`,
      fields: {
        event: 'appointment:deleted',
        appointmentId,
        error: 'the company id is not an ObjectId',
      },
    };
    expect(lines.filter(({ level }) => level === 'error')).toEqual([line, line, line, line]);
    expect(await world.queue.getJobs()).toEqual([]);
  });
});
