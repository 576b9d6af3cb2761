import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RunningApi } from '../../src/api/start-api.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await createWorld();
  api = await world.api();
});
afterAll(() => world.close());

const paths = fc.constantFrom(
  'appointment-created',
  'appointment-updated',
  'batch',
  'emissions/x',
  'nothing',
);
const bodies = fc.oneof(
  fc.json(),
  fc.string({ unit: 'binary' }),
  fc.record({ appointmentId: fc.anything() }).map((body) => JSON.stringify(body)),
  fc.record({ emissions: fc.array(fc.jsonValue()) }).map((body) => JSON.stringify(body)),
);

test('random bodies get a documented answer, nothing is enqueued, and the process keeps working', async () => {
  const wellKnown = new Set([202, 400, 404, 413, 415]);
  await fc.assert(
    fc.asyncProperty(paths, bodies, async (path, body) => {
      const response = await fetch(`${api.url}/api/v1/internal/socket/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': world.env['INTERNAL_SERVICE_API_KEY']! },
        body,
      });
      const { success, accepted } = (await response.json()) as { success: boolean; accepted?: number };
      expect(wellKnown.has(response.status) || response.status === 405).toBe(true);
      expect(success ? accepted : 0).toBe(0);
    }),
    { numRuns: 400, interruptAfterTimeLimit: 8_000 },
  );
  expect(await world.jobs.count('waiting', 'prioritized', 'delayed')).toBe(0);
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
}, 30_000);
