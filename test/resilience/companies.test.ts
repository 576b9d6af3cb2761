import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
afterEach(() => world.close());

const EMISSIONS = 60;

test('two gateways, two workers, three companies under load: each dashboard receives all events of its company, in order, and none of another', async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  const gateways = await Promise.all([world.ready(world.api()), world.ready(world.api())]);
  world.worker();
  world.worker();
  const companies = await Promise.all([
    world.documents.company(),
    world.documents.company(),
    world.documents.company(),
  ]);
  const screens = await Promise.all(
    companies.flatMap(({ companyId }) =>
      gateways.map(async (gateway) => ({ companyId, ...(await world.dashboard(gateway, companyId)) })),
    ),
  );
  const appointments = await Promise.all(
    companies.map(async (company) => Promise.all(Array.from({ length: 5 }, () => company.appointment()))),
  );

  // Each caller emits the appointments of all companies in turn, by both gateways.
  const emissions = new Map<string, string[]>(companies.map(({ companyId }) => [companyId, []]));
  await Promise.all(
    Array.from({ length: 4 }, async (_, caller) => {
      for (let i = caller; i < EMISSIONS * companies.length; i += 4) {
        const which = i % companies.length;
        const appointmentId = appointments[which]![i % 5]!;
        const emissionId = await world.emit(gateways[i % 2]!, 'appointment-updated', appointmentId);
        emissions.get(companies[which]!.companyId)!.push(emissionId);
      }
    }),
  );
  await eventually('every screen to have received all emissions', () =>
    screens.every(({ received }) => received.length >= EMISSIONS),
  );

  for (const { companyId, received } of screens) {
    expect(new Set(received.map(({ payload }) => payload.appointment.companyId))).toEqual(
      new Set([companyId]),
    );
    expect(received.map(({ meta }) => meta.emissionId).sort()).toEqual(emissions.get(companyId)!.sort());
    expect(received.map(({ meta }) => meta.offset)).toEqual(received.map((_, index) => index + 1));
  }
});
