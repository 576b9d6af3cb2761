import { expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { createReadCatalogue } from '../../demo/read-catalogue.ts';
import { COLLECTIONS } from '../../demo/models.ts';
import { STORED_VALUES } from '../harness/stored-values.ts';
import { at, startBookings } from './booking-world.ts';
import { closeAfterEach } from './bot-world.ts';

closeAfterEach();

test('the catalogue contains all readable documents, whatever any field contains', async () => {
  const world = await startBookings();
  const read = createReadCatalogue(world.connection, world.companyId);
  const fields = ['fullName', 'name', 'size', 'price', 'customerId', 'serviceId'];
  for (const [, value] of STORED_VALUES.filter(([, stored]) => stored !== undefined)) {
    const document = Object.fromEntries(fields.map((field) => [field, value]));
    for (const name of ['customers', 'pets', 'services', 'serviceItems', 'staff'] as const)
      await world.insert(COLLECTIONS[name], document);
    for (const field of ['petId', 'serviceId', 'staffId', 'end', 'status'])
      await world.insert(COLLECTIONS.appointments, { start: at(0), [field]: value });
    await world.insert(COLLECTIONS.appointments, { start: value });
  }
  const { customers, services, staff } = await read.catalogue();
  for (const offered of [customers, services, staff]) {
    expect(offered.length).toBeGreaterThanOrEqual(STORED_VALUES.length);
    for (const { id, name } of offered)
      expect([id, typeof name]).toEqual([expect.stringMatching(/^[0-9a-f]{24}$/), 'string']);
  }
  const appointments = await read.appointments(at(-1));
  expect(appointments.length).toBeGreaterThanOrEqual(STORED_VALUES.length);
  for (const { start, end } of appointments)
    for (const time of [start, end]) expect(time === null || !Number.isNaN(Date.parse(time))).toBe(true);
});

test.each(['toLowerCase', 'toUpperCase'] as const)(
  'the catalogue resolves ids stored as text (%s)',
  async (form) => {
    const world = await startBookings();
    const companyId = new Types.ObjectId().toHexString();
    const owner = { companyId: companyId[form]() };
    const customerId = await world.insert(COLLECTIONS.customers, { ...owner, fullName: 'Ann' });
    const petId = await world.insert(COLLECTIONS.pets, {
      ...owner,
      name: 'Rex',
      customerId: customerId[form](),
    });
    const serviceId = await world.insert(COLLECTIONS.services, { ...owner, name: 'Full groom' });
    const price = Types.Decimal128.fromString('79.90');
    const itemId = await world.insert(COLLECTIONS.serviceItems, {
      ...owner,
      serviceId: serviceId[form](),
      price,
    });
    const appointmentId = await world.insert(COLLECTIONS.appointments, {
      ...owner,
      petId: petId[form](),
      start: at(0),
      end: 'later',
    });
    const read = createReadCatalogue(world.connection, companyId);
    expect(await read.catalogue()).toEqual({
      customers: [{ id: customerId, name: 'Ann', pets: [{ id: petId, name: 'Rex', size: '' }] }],
      services: [{ id: serviceId, name: 'Full groom', items: [{ id: itemId, size: '', price: 79.9 }] }],
      staff: [],
    });
    expect(await read.appointments(at(-1))).toEqual([
      { id: appointmentId, petId, serviceId: null, staffId: null, start: at(0).toISOString(), end: null },
    ]);
  },
);
