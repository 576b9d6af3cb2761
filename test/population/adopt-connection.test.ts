import { expect, test } from '@jest/globals';
import { createConnection } from 'mongoose';
import { adoptConnection } from '../../src/population/connect.ts';

const REPORT = "the application's connection is not open";

function adopt(connection = createConnection()) {
  const errors: string[] = [];
  let usable = 0;
  const handle = adoptConnection(connection, {
    onError: ({ message }) => errors.push(message),
    onUsable: () => (usable += 1),
  });
  return { connection, errors, handle, usable: () => usable };
}

test('a connection that is not open at start is reported, and one that opens later is usable', async () => {
  const { connection, errors, handle, usable } = adopt();
  expect(errors).toEqual([REPORT]);
  await connection.openUri(process.env['TEST_MONGODB_URI']!);
  await handle.connected;
  expect(usable()).toBe(1);
  expect(errors).toHaveLength(1);
  await handle.close();
  await connection.close();
  expect(errors).toHaveLength(1);
});

test('a connection that is opening or open is not reported', async () => {
  const opening = createConnection(process.env['TEST_MONGODB_URI']!);
  const first = adopt(opening);
  await opening.asPromise();
  const second = adopt(opening);
  expect([...first.errors, ...second.errors]).toEqual([]);
  await Promise.all([first.handle.close(), second.handle.close()]);
  await opening.close();
});

test('a connection that cannot be opened is reported, and its application gets the error', async () => {
  const connection = createConnection();
  const opened = connection.openUri('mongodb://127.0.0.1:1', {
    serverSelectionTimeoutMS: 100,
  });
  const { errors, handle } = adopt(connection);
  await expect(opened).rejects.toThrow('ECONNREFUSED');
  expect(errors).toContain(REPORT);
  await handle.close();
});
