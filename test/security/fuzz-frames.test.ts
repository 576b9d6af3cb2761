import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type FuzzedApi, startFuzzedApi } from './fuzzed-api.ts';
import { until } from '../harness/until.ts';
import { message, session } from './frames.ts';
import { openRawWebSocket } from './raw-websocket.ts';

let target: FuzzedApi;
let token: string;
beforeAll(async () => {
  target = await startFuzzedApi({ MAX_AUTH_FAILURES_PER_MINUTE: 1_000_000 });
  token = await target.world.token(target.company.companyId);
}, 60_000);
afterAll(() => target.world.close());

async function throwFrames(runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(session, async ({ isLetIn, frames }) => {
      const socket = await openRawWebSocket(target.api.url);
      try {
        if (isLetIn) await socket.join('', { token });
        socket.send(...frames);
        // A frame that said to be longer swallows the ping as well: then it is ours to leave.
        await until('the answer to the ping', socket.settled(), 100).catch(() => undefined);
      } finally {
        socket.close();
      }
    }),
    { numRuns: runs, interruptAfterTimeLimit: 12_000 },
  );
}

async function throwPayloads(runs: number): Promise<void> {
  const url = `${target.api.url}/socket.io/?EIO=4&transport=polling`;
  const payload = fc.array(message, { maxLength: 6 }).map((packets) => packets.join('\x1e'));
  await fc.assert(
    fc.asyncProperty(payload, async (body) => {
      const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string };
      const post = (sent: string) => fetch(`${url}&sid=${sid}`, { method: 'POST', body: sent });
      const posted = await post(body).catch(() => undefined);
      expect([200, 400, 413, undefined]).toContain(posted?.status);
      await post('1').catch(() => undefined);
    }),
    { numRuns: runs, interruptAfterTimeLimit: 8_000 },
  );
}

test('random frames, by WebSocket or by polling, end at most their own session, and the process keeps working', async () => {
  await throwFrames(100);
  await throwPayloads(50);
  await target.warm();
  await throwFrames(400);
  await throwPayloads(200);
  await target.expectUnharmed();
}, 120_000);
