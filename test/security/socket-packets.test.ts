import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { RunningApi } from '../../src/api/start-api.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

const COMPANY = 'c'.repeat(24);
const SEPARATOR = '\x1e';

let world: World;
let api: RunningApi;
let token: string;
beforeEach(async () => {
  world = await createWorld();
  api = await world.api();
  token = await world.token(COMPANY);
});
afterEach(() => world.close());

/** A session by polling without a library: it posts exactly the given text. */
async function openPolling() {
  const url = `${api.url}/socket.io/?EIO=4&transport=polling`;
  const opened = await (await fetch(url)).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  const request = async (init?: RequestInit): Promise<string> => {
    try {
      const response = await fetch(`${url}&sid=${sid}`, init);
      return response.ok ? await response.text() : 'ended';
    } catch {
      return 'ended';
    }
  };
  return {
    post: (...packets: string[]) =>
      until('the answer to a POST', request({ method: 'POST', body: packets.join(SEPARATOR) })),
    /** All that is sent until the session ends, or until something fits. */
    async poll(fits: (text: string) => boolean): Promise<{ text: string; isOpen: boolean }> {
      let text = '';
      for (;;) {
        const polled = await until('the answer to a poll', request());
        if (polled === 'ended' || polled === '1') return { text, isOpen: false };
        text += SEPARATOR + polled;
        if (fits(text)) return { text, isOpen: true };
      }
    },
  };
}

async function cuts(): Promise<number> {
  const text = await (await fetch(`${api.url}/metrics`, { headers: { 'x-api-key': API_KEY } })).text();
  return Number(/emission_connections_cut_total\{reason="protocol"\} (\d+)/.exec(text)?.[1]);
}

async function sockets(): Promise<number> {
  const response = await fetch(`${api.url}/api/v1/internal/metrics`, { headers: { 'x-api-key': API_KEY } });
  return ((await response.json()) as { fleet: { sockets: number } }).fleet.sockets;
}

const connects = (namespace: string, auth: object, count: number): string[] =>
  Array<string>(count).fill(`40${namespace}${JSON.stringify(auth)}`);

test.each([
  ['the dashboards’ namespace', () => connects('', { token }, 50)],
  ['the dashboards’ namespace, spelt out', () => connects('/,', { token }, 50)],
  ['the services’ namespace', () => connects('/internal,', { apiKey: API_KEY }, 50)],
  ['the canary’s namespace', () => connects('/canary,', { secret: 'x' }, 50)],
  ['a namespace that does not exist', () => connects('/nowhere,', {}, 50)],
  ['fifty namespaces that do not exist', () => Array.from({ length: 50 }, (_, n) => `40/n${n},`)],
])('50 CONNECTs in one payload to %s create at most one socket, and end the session', async (_, packets) => {
  const session = await openPolling();
  await session.post(...packets());
  const { text, isOpen } = await session.poll(() => false);
  expect(isOpen).toBe(false);
  expect(text.split('"sid"').length - 1).toBeLessThanOrEqual(1);
  expect(await cuts()).toBe(1);
  await eventually('no socket to be left', async () => (await sockets()) === 0);
});

test('one connection may use several namespaces, and connect again after a refusal or a disconnect', async () => {
  const session = await openPolling();
  const count = (text: string, part: string) => text.split(part).length - 1;
  await session.post('40{"token":"wrong"}', `40/internal,{"apiKey":"${API_KEY}"}`);
  let { text } = await session.poll((seen) => seen.includes('44{') && seen.includes('40/internal,{'));
  await session.post(`40{"token":"${token}"}`);
  ({ text } = await session.poll((seen) => seen.includes('40{"sid"')));
  await session.post('41');
  await session.post(`40{"token":"${token}"}`);
  ({ text } = await session.poll((seen) => seen.includes('40{"sid"')));
  expect(count(text, '40{"sid"')).toBe(1);
  expect(await cuts()).toBe(0);
});

test.each([
  ['a binary event', '451-["a",{"_placeholder":true,"num":0}]'],
  ['a binary acknowledgement', '461-1[{"_placeholder":true,"num":0}]'],
  ['ten attachments', '4510-["a"]'],
  ['binary data', 'bAAAA'],
])('%s ends the session before its attachments are buffered', async (_, packet) => {
  const session = await openPolling();
  await session.post(`40{"token":"${token}"}`);
  await session.poll((seen) => seen.includes('emissions:position'));
  await session.post(packet);
  expect((await session.poll(() => false)).isOpen).toBe(false);
  expect(await cuts()).toBe(1);
});

test('packets of every type are counted: a payload of thousands of pongs ends the session', async () => {
  const session = await openPolling();
  await session.post(...Array<string>(5_000).fill('3'));
  expect((await session.poll(() => false)).isOpen).toBe(false);
});

test('concurrent handshakes do not exceed the sockets of a company', async () => {
  const small = await world.api({}, { MAX_SOCKETS_PER_COMPANY: 3 });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, () =>
      world.dashboard(small, COMPANY, { socketOptions: { reconnection: false } }),
    ),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
});
