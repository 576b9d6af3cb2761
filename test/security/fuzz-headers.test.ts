import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type FuzzedApi, startFuzzedApi } from './fuzzed-api.ts';
import { headers, isAmbiguous, sendRaw } from './raw-http.ts';

let target: FuzzedApi;
beforeAll(async () => {
  target = await startFuzzedApi({ MAX_AUTH_FAILURES_PER_MINUTE: 1_000_000 });
}, 60_000);
afterAll(() => target.world.close());

const SOCKET = '/api/v1/internal/socket';
const OURS = new Set([200, 302, 400, 401, 403, 404, 405, 408, 413, 415, 417, 422, 429, 431, 501]);

/** None of them names an appointment that exists; some hold a second request, without a key. */
const body = fc.constantFrom(
  '',
  '{}',
  `{"appointmentId":"${'0'.repeat(24)}"}`,
  '5\r\n{"a":\r\n0\r\n\r\n',
  `0\r\n\r\nPOST ${SOCKET}/appointment-created HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}`,
  'ffffffffffffffff1\r\n{}',
);
const request = fc.record({
  method: fc.constantFrom('POST', 'POST', 'GET', 'HEAD', 'OPTIONS', 'PUT', 'CONNECT', 'TRACE', 'post'),
  path: fc.constantFrom(
    `${SOCKET}/appointment-created`,
    `${SOCKET}/batch`,
    `${SOCKET}/emissions/x`,
    '/api/v1/dashboard/appointments',
    '/admin/api/overview',
    '/admin/queues',
    '/socket.io/?EIO=4&transport=polling',
    '/socket.io/?EIO=4&transport=websocket',
    '/metrics',
    '*',
    'http://evil.example/metrics',
  ),
  headers,
  body,
});

async function throwAt(runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, headers: all, body: sent }) => {
      const head = all.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const answer = await sendRaw(
        target.api.url,
        `${method} ${path} HTTP/1.1\r\nHost: a\r\n${head}\r\n${sent}`,
      );
      const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      for (const status of statuses) if (status !== 100) expect(OURS).toContain(status);
      if (isAmbiguous(all)) expect([400, 431, undefined]).toContain(statuses[0]);
      expect(answer).not.toMatch(/node_modules|at .*\.ts/);
    }),
    { numRuns: runs, interruptAfterTimeLimit: 12_000 },
  );
}

test('random headers and framing get a documented answer, and the process keeps working', async () => {
  await throwAt(150);
  await target.warm();
  await throwAt(600);
  await target.expectUnharmed();
}, 90_000);
