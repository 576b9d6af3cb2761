import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWorld, type World } from '../harness/world.ts';
import type { Spawned } from '../harness/processes.ts';

let world: World;
let api: Spawned;
beforeAll(async () => {
  world = await createWorld();
  [api] = await Promise.all([world.apiProcess(), world.workerProcess()]);
});
afterAll(() => world.close());

test.each([
  ['appointment-created', 'appointment:created'],
  ['appointment-updated', 'appointment:updated'],
  ['appointment-canceled', 'appointment:canceled'],
] as const)('%s reaches the dashboard as %s, fully populated, across real processes', async (slug, event) => {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const dashboard = await world.dashboard(api, company.companyId);

  const emissionId = await world.emit(api, slug, appointmentId);
  const received = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);

  expect(received.event).toBe(event);
  expect(received.meta).toEqual({
    emissionId,
    event,
    epoch: expect.stringMatching(/^[\w-]{16}$/),
    offset: 1,
    read: 0,
    attempt: 1,
    acceptedAt: expect.any(String),
    publishedAt: expect.any(String),
    replayed: false,
  });
  expect(received.payload).toEqual({
    appointment: {
      _id: appointmentId,
      companyId: company.companyId,
      customerId: {
        _id: company.customer._id.toHexString(),
        fullName: 'Ann Bauer',
        email: 'ann@example.org',
        phone: '+49 1',
      },
      petId: {
        _id: company.pet._id.toHexString(),
        name: 'Rex',
        species: 'dog',
        breed: 'Poodle',
        size: 'small',
        coatType: 'curly',
      },
      serviceId: { _id: company.service._id.toHexString(), name: 'Full groom' },
      serviceItemId: {
        _id: company.serviceItem._id.toHexString(),
        size: 'small',
        coatType: 'curly',
        price: 55.5,
      },
      staffId: { _id: company.staff._id.toHexString(), fullName: 'Maya Brandt', role: 'groomer' },
      locationId: expect.stringMatching(/^[0-9a-f]{24}$/),
      start: expect.stringMatching(/Z$/),
      end: expect.stringMatching(/Z$/),
      status: 'scheduled',
      source: 'instagram',
      notes: 'first visit',
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: expect.stringMatching(/Z$/),
    },
  });
});
