import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
let api: { url: string };
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
});
afterAll(() => world.close());

test('an offset beyond 32 bits arrives as a number', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const appointmentId = await company.appointment();
  const first = await world.emit(api, 'appointment-created', appointmentId);
  await dashboard.receive(({ meta }) => meta.emissionId === first);
  await world.redis.hset(world.keys.position(company.companyId), 'offset', 2 ** 40);

  const next = await world.emit(api, 'appointment-updated', appointmentId);
  const { meta } = await dashboard.receive((received) => received.meta.emissionId === next);
  expect(meta.offset).toBe(2 ** 40 + 1);
});

test('the text of an appointment is never confused with the placeholder of epoch and offset', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const notes = `ðŸ¶ \u0000 epoch offset ${'\u00b0'.repeat(16)}\u00a6offset\u00cf${'\u0000'.repeat(8)} 日本`;
  const appointmentId = await company.appointment({ notes });
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  const { payload, meta } = await dashboard.receive((received) => received.meta.emissionId === emissionId);
  expect(payload.appointment.notes).toBe(notes);
  expect(meta).toMatchObject({ offset: 1, read: 0, epoch: expect.stringMatching(/^[\w-]{16}$/) });
});
