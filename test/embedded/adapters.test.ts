import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import type { Server } from 'socket.io';
import type { StreamPosition } from '@appointment-emissions/contracts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { createEmbeddedWorld, PAIRS, startApplication } from './application.ts';

let world: World;
let appointmentId: string;
let token: string;
beforeEach(async () => {
  const created = await createEmbeddedWorld();
  ({ world, appointmentId } = created);
  token = await world.token(created.company.companyId);
});
afterEach(() => world.close());

/** An adapter that an application can have. `key`: the first part of its channels. */
type UseAdapter = (io: Server, key: string) => Promise<void>;

const useNone: UseAdapter = () => Promise.resolve();
const useRedis: UseAdapter = async (io, key) => {
  const [publisher, subscriber] = connections();
  io.adapter(createAdapter(publisher, subscriber, { key }));
  // The adapter does not await its SUBSCRIBE commands: the reply to PING shows that they are done.
  await subscriber.ping();
};
/** Its base class is that of the adapters for Redis Streams, MongoDB and Postgres. */
const useSharded: UseAdapter = async (io, channelPrefix) => {
  const [publisher, subscriber] = connections();
  io.adapter(createShardedAdapter(publisher, subscriber, { channelPrefix }));
  await subscriber.ping();
};

/** They outlive the application's Socket.IO server. */
function connections(): [publisher: Redis, subscriber: Redis] {
  const publisher = new Redis(world.env['REDIS_URL']!, { replyMapping: 'legacy' });
  const subscriber = publisher.duplicate();
  for (const client of [publisher, subscriber]) {
    world.keep(client, () => {
      client.disconnect();
    });
  }
  return [publisher, subscriber];
}

const ownKey = () => `application-${appointmentId}`;
const ourKey = () => world.env['SOCKET_ADAPTER_KEY']!;

describe.each([
  { name: 'no adapter', use: useNone, key: ownKey, isShared: false },
  { name: 'the Redis adapter with another key', use: useRedis, key: ownKey, isShared: true },
  { name: 'the sharded adapter with another prefix', use: useSharded, key: ownKey, isShared: true },
  // Sharded Pub/Sub has separate channels.
  {
    name: 'the sharded adapter with the prefix SOCKET_ADAPTER_KEY',
    use: useSharded,
    key: ourKey,
    isShared: true,
  },
])('an application with $name', ({ use, key, isShared }) => {
  const start = () => startApplication(world, PAIRS[0], { prepare: (io) => use(io, key()) });

  test('delivers each event once', async () => {
    const application = await start();
    const client = await application.client({ token });
    await world.emit(application, 'appointment-created', appointmentId);
    await eventually('the event', () => client.received.length > 0);
    await world.emit(application, 'appointment-updated', appointmentId);
    await eventually('the next event', () => client.names().includes('appointment:updated'));
    application.io.emit('news');
    await eventually('its own event', () => client.names().includes('news'));
    expect(client.names()).toEqual(['appointment:created', 'appointment:updated', 'news']);
  });

  test('delivers each event once on two instances, and answers catch-ups on both', async () => {
    const applications = await Promise.all([start(), start()]);
    const [one, two] = applications;
    const clients = await Promise.all(applications.map((application) => application.client({ token })));
    await world.emit(two, 'appointment-updated', appointmentId);
    await eventually('the event on both', () => clients.every(({ received }) => received.length > 0));
    one.io.emit('news');
    const reached = isShared ? clients : clients.slice(0, 1);
    await eventually('the news', () => reached.every(({ names }) => names().includes('news')));
    for (const client of clients) {
      const wanted = reached.includes(client) ? ['appointment:updated', 'news'] : ['appointment:updated'];
      expect(client.names()).toEqual(wanted);
      const { epoch } = client.received[0]!.args[1] as StreamPosition;
      const reply: unknown = await client.socket
        .timeout(5_000)
        .emitWithAck('emissions:catch-up', { epoch, offset: 1 });
      expect(reply).toMatchObject({ offset: 1, recovered: true });
    }
  });
});

test('the Redis adapter with the key SOCKET_ADAPTER_KEY is refused when the pipeline is attached', async () => {
  const attached = startApplication(world, PAIRS[0], { prepare: (io) => useRedis(io, ourKey()) });
  await expect(attached).rejects.toThrow(
    `SOCKET_ADAPTER_KEY is also the key of the application's own Redis adapter (${ourKey()})`,
  );
});
