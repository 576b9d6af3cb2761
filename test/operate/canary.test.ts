import { afterEach, expect, test } from '@jest/globals';
import { type Canary, startCanary } from '../../src/liveness/canary.ts';
import { eventually } from '../harness/until.ts';

let canary: Canary | undefined;
afterEach(() => canary?.close());

/** A gateway's canary over a queue in which the test decides the fate of each. */
function start(fateOf: () => Promise<'published' | 'waiting' | 'lost'>, send = () => Promise.resolve()) {
  const sent: string[] = [];
  canary = startCanary({
    intervalMs: 5,
    send: (canaryId) => {
      sent.push(canaryId);
      return send();
    },
    fateOf,
    onReceived: () => undefined,
    onFault: () => undefined,
  });
  return { sent, canary };
}

test('three published canaries that do not arrive turn the gateway red; one that arrives turns it green', async () => {
  const { sent, canary } = start(() => Promise.resolve('published'));
  await eventually('three canaries to be missed', () => sent.length >= 3);
  await eventually('red', () => !canary.verdict().ok);
  canary.receive(sent.at(-1)!);
  expect(canary.verdict()).toEqual({ ok: true });
  expect(canary.sinceReceivedMs()).toBeLessThan(1_000);
});

test('a waiting canary is not sent again, and the gateway stays green', async () => {
  let looks = 0;
  const { sent, canary } = start(() => {
    looks += 1;
    return Promise.resolve('waiting');
  });
  await eventually('many looks', () => looks > 10);
  expect(sent).toHaveLength(1);
  expect(canary.verdict().ok).toBe(true);
});

test('a canary that an older worker refused or Redis lost is sent again, and the gateway stays green', async () => {
  const { sent, canary } = start(() => Promise.resolve('lost'));
  await eventually('many canaries', () => sent.length > 10);
  expect(canary.verdict().ok).toBe(true);
});

test('while Redis is unavailable the gateway stays green', async () => {
  let looks = 0;
  const { canary } = start(
    () => {
      looks += 1;
      return Promise.reject(new Error('Connection is closed.'));
    },
    () => Promise.reject(new Error('Connection is closed.')),
  );
  await eventually('many looks', () => looks > 10);
  expect(canary.verdict().ok).toBe(true);
});
