import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NoChangeStreams } from '../../src/domain/changes.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { connectMongo } from '../../src/population/connect.ts';
import { createModels } from '../../src/population/models.ts';
import { createOpenChanges } from '../../src/population/open-changes.ts';
import { createWorld, type World } from '../harness/world.ts';
import { startRewritingProxy } from './rewriting-proxy.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const UNRECOGNIZED = 40_324;
const UNAUTHORIZED = 13;

function rewrite(bytes: Buffer, from: string, to: string): void {
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from)) bytes.write(to, at);
}

/** The error of a stream on a server that refuses the stage, with this code. The message names the stage. */
async function refusedWith(code: number): Promise<unknown> {
  const proxy = await startRewritingProxy(world.env['MONGODB_URI']!, {
    sent: (bytes) => {
      rewrite(bytes, '$changeStream', '$changeStreaX');
    },
    received: (bytes) => {
      if (!bytes.includes('$changeStreaX')) return;
      rewrite(bytes, '$changeStreaX', '$changeStream');
      const int = Buffer.from('\x10code\x00');
      if (bytes.includes(int)) bytes.writeInt32LE(code, bytes.indexOf(int) + int.length);
    },
  });
  const mongo = connectMongo(proxy.uri, { serverSelectionMs: 2_000, onError: () => undefined });
  await mongo.connected;
  const open = createOpenChanges(createModels(mongo.connection, DEFAULT_MODEL), { withReferences: false });
  const changes = open(undefined);
  try {
    return await changes.next();
  } catch (error) {
    return error;
  } finally {
    await changes.close();
    await mongo.close();
    proxy.close();
  }
}

test('a server that does not know the stage has no change streams', async () => {
  expect(await refusedWith(UNRECOGNIZED)).toBeInstanceOf(NoChangeStreams);
});

test('a user without the right to read the stream gets the error of MongoDB, not advice about replica sets', async () => {
  const error = await refusedWith(UNAUTHORIZED);
  expect(error).not.toBeInstanceOf(NoChangeStreams);
  expect(error).toMatchObject({ code: UNAUTHORIZED });
});
