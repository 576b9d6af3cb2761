import { defineModel } from './description.ts';
import { parseModel } from './parse-model.ts';

/** The model that is used if `EMISSIONS_MODEL` names no other. `AppointmentSnapshot` of the contracts is its snapshot. */
export const DEFAULT_DESCRIPTION = defineModel({
  collection: 'appointments',
  references: {
    customerId: { collection: 'customers', fields: ['fullName', 'email', 'phone'] },
    petId: { collection: 'pets', fields: ['name', 'species', 'breed', 'size', 'coatType'] },
    serviceId: { collection: 'services', fields: ['name'] },
    serviceItemId: {
      collection: 'serviceitems',
      fields: ['size', 'coatType', { name: 'price', type: 'number' }],
    },
    staffId: { collection: 'staff', fields: ['fullName', 'role'] },
  },
  fields: [{ name: 'locationId', type: 'id' }, 'source', 'notes'],
});

export const DEFAULT_MODEL = parseModel(DEFAULT_DESCRIPTION);
