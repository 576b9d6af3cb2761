import { defineModel } from '../../src/model/description.ts';

/** The model of an application with other collections, six statuses and reasons for cancellations. */
export const model = defineModel({
  collection: 'appointments',
  references: {
    customerId: { collection: 'contacts', fields: ['fullName', 'email', 'phone'] },
    petId: { collection: 'pets', fields: ['name', 'species', 'breed', 'size', 'coatType'] },
    serviceId: { collection: 'servicecategories', fields: ['name'] },
    serviceItemId: {
      collection: 'serviceitems',
      fields: ['size', 'coatType', { name: 'price', type: 'number' }],
    },
    staffId: { collection: 'users', fields: ['fullName', 'role'] },
  },
  fields: [
    { name: 'locationId', type: 'id' },
    'source',
    'notes',
    { name: 'canceledAt', type: 'date' },
    'cancellationReason',
  ],
  status: { canceled: ['canceled', 'no_show'] },
});

/** All statuses of the application. */
export const STATUSES = [
  'scheduled',
  'checked_in',
  'in_progress',
  'completed',
  'canceled',
  'no_show',
] as const;
