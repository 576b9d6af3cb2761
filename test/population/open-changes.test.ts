import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Changes, NoChangeStreams } from '../../src/domain/changes.ts';
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

type Rewrites = Parameters<typeof startRewritingProxy>[1];

/** Runs `act` on a stream through a proxy that changes bytes. */
async function onStream<T>(rewrites: Rewrites, act: (changes: Changes) => Promise<T>): Promise<T> {
  const proxy = await startRewritingProxy(world.env['MONGODB_URI']!, rewrites);
  const mongo = connectMongo(proxy.uri, { serverSelectionMs: 2_000, onError: () => undefined });
  await mongo.connected;
  const open = createOpenChanges(createModels(mongo.connection, DEFAULT_MODEL), { withReferences: false });
  const changes = open(undefined);
  try {
    return await act(changes);
  } finally {
    await changes.close();
    await mongo.close();
    proxy.close();
  }
}

/** The error of a stream on a server that refuses the stage, with this code. The message names the stage. */
const refusedWith = (code: number): Promise<unknown> =>
  onStream(
    {
      sent: (bytes) => {
        rewrite(bytes, '$changeStream', '$changeStreaX');
      },
      received: (bytes) => {
        if (!bytes.includes('$changeStreaX')) return;
        rewrite(bytes, '$changeStreaX', '$changeStream');
        const int = Buffer.from('\x10code\x00');
        if (bytes.includes(int)) bytes.writeInt32LE(code, bytes.indexOf(int) + int.length);
      },
    },
    (changes) => changes.next().catch((error: unknown) => error),
  );

test('a server without the stage has no change streams', async () => {
  expect(await refusedWith(UNRECOGNIZED)).toBeInstanceOf(NoChangeStreams);
});

test('a user without the right to read the stream gets the error of MongoDB, not advice about replica sets', async () => {
  const error = await refusedWith(UNAUTHORIZED);
  expect(error).not.toBeInstanceOf(NoChangeStreams);
  expect(error).toMatchObject({ code: UNAUTHORIZED });
});

test('without a cluster time of the server, each change of an appointment has its own id', async () => {
  const company = await world.documents.company();
  const withoutTime = {
    received: (bytes: Buffer) => {
      rewrite(bytes, 'clusterTime', 'clusterTimX');
    },
  };
  const times = await onStream(withoutTime, async (changes) => {
    const first = changes.next();
    await changes.opened;
    const id = await company.appointment();
    await company.change(id, { notes: 'second' });
    return [(await first).clusterTime, (await changes.next()).clusterTime];
  });
  expect(times).toEqual([expect.stringMatching(/^[0-9a-f]{20}$/), expect.stringMatching(/^[0-9a-f]{20}$/)]);
  expect(new Set(times).size).toBe(2);
});
