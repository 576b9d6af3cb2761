import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import type { RunningApi } from '../../src/api/start-api.ts';
import { damageCounts } from '../harness/damage.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import type { Company } from '../harness/documents.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import {
  canaryMessage,
  damagedMessages,
  forgedRequests,
  goodMessage,
  messageWithOtherFields,
} from './damaged-messages.ts';

let world: World;
let api: RunningApi;
let [mine, other]: Company[] = [];
let dashboard: Dashboard;
beforeAll(async () => {
  world = await createWorld({ env: { CANARY_INTERVAL_MS: '100', LOG_LEVEL: 'debug' } });
  api = await world.ready(world.api());
  mine = await world.documents.company();
  other = await world.documents.company();
  dashboard = await world.dashboard(api, mine.companyId);
});
afterAll(() => world.close());

const key = (): string => world.env['SOCKET_ADAPTER_KEY']!;

/** Resolves when a valid message, published after all others, has reached the dashboard. */
async function receivesValid(appointmentId: string): Promise<void> {
  const { channel, message } = goodMessage(key(), mine!.companyId, appointmentId);
  await world.redis.publish(channel, message);
  await dashboard.receive(({ payload }) => payload.appointment._id === appointmentId);
}

test.each(['/', '/internal', '/canary'])(
  'a message that is not a broadcast is dropped and counted, in the namespace %s',
  async (namespace) => {
    const service = io(`${api.url}/internal`, { forceNew: true, auth: { apiKey: API_KEY } });
    world.keep(service, () => service.close());
    await until(
      'the service to be connected',
      new Promise((resolve) => service.once('connect', resolve as never)),
    );
    const ownRoom = `company:${mine!.companyId}`;
    const room = namespace === '/' ? ownRoom : namespace === '/internal' ? service.id! : await canaryRoom();
    const disconnected: string[] = [];
    dashboard.socket.on('disconnect', (reason) => disconnected.push(reason));
    const before = (await damageCounts(api))['message'] ?? 0;
    const receivedBefore = dashboard.received.length;

    const messages = damagedMessages(namespace, room);
    for (const [, message] of messages) await world.redis.publish(`${key()}#${namespace}#${room}#`, message);
    await receivesValid('a'.repeat(23) + String(namespace.length % 10));

    expect(dashboard.received).toHaveLength(receivedBefore + 1);
    expect(disconnected).toEqual([]);
    expect(service.connected).toBe(true);
    await eventually(
      `${messages.length} messages to be counted`,
      async () => ((await damageCounts(api))['message'] ?? 0) - before === messages.length,
    );
  },
);

test('a message with other fields is sent without them', async () => {
  const room = `company:${mine!.companyId}`;
  const received = new Promise<unknown[]>((resolve) => {
    dashboard.socket.once(
      'anything' as never,
      ((...args: unknown[]) => {
        resolve(args);
      }) as never,
    );
  });
  await world.redis.publish(`${key()}#/#${room}#`, messageWithOtherFields(room, ['anything', 1]));
  // A packet with an id would add the function that acknowledges it.
  expect(await until('the message', received)).toEqual([1]);
});

test('a message whose time of publication is no text reaches every dashboard of its room', async () => {
  const room = `company:${mine!.companyId}`;
  const appointmentId = 'd'.repeat(24);
  const second = await world.dashboard(api, mine!.companyId);
  const data = [
    'appointment:updated',
    { appointment: { _id: appointmentId } },
    { publishedAt: { toString: 1 } },
  ];
  await world.redis.publish(`${key()}#/#${room}#`, messageWithOtherFields(room, data));
  for (const one of [dashboard, second])
    await one.receive(({ payload }) => payload.appointment._id === appointmentId);
});

test('a message for an empty room or for all rooms ends no process and reaches no socket', async () => {
  const receivedBefore = dashboard.received.length;
  for (const namespace of ['/', '/internal', '/canary', '/unknown', '']) {
    for (const [, message] of damagedMessages(namespace, '')) {
      for (const room of ['', '#', 'company:', 'company:unknown#']) {
        await world.redis.publish(`${key()}#${namespace}#${room}`, message);
      }
    }
  }
  await receivesValid('b'.repeat(24));
  expect(dashboard.received).toHaveLength(receivedBefore + 1);
});

test('a forged request neither ends the process nor moves or disconnects a socket', async () => {
  const foreign = await world.dashboard(api, other!.companyId);
  const sent = { requests: 0 };
  for (const namespace of ['/', '/internal', '/canary']) {
    for (const message of forgedRequests(foreign.socket.id!, `company:${mine!.companyId}`)) {
      for (const kind of ['request', 'response']) {
        await world.redis.publish(`${key()}-${kind}#${namespace}#`, message);
        sent.requests += 1;
      }
    }
  }
  await receivesValid('c'.repeat(24));
  expect(foreign.received).toEqual([]);
  expect(foreign.socket.connected).toBe(true);
  expect((await damageCounts(api))['request']).toBe(sent.requests);
});

test('a canary event without a canary does not end the process', async () => {
  const room = await canaryRoom();
  for (const given of [[], [null], ['x'], [{ canaryId: 1 }], [{}]]) {
    await world.redis.publish(`${key()}#/canary#${room}#`, canaryMessage(room, given));
  }
  await receivesValid('d'.repeat(24));
});

/** The room of this gateway's own socket. */
async function canaryRoom(): Promise<string> {
  const beat = await eventually('a heartbeat', async () => {
    const beats = await world.redis.hkeys(`{${world.env['QUEUE_PREFIX']!.slice(1, -1)}-metrics}:beats`);
    return beats.find((processKey) => processKey.startsWith('gateway:'));
  });
  return beat.replace('gateway:', 'canary:');
}
