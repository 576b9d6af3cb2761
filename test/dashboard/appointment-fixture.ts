import type { AppointmentSnapshot, EmissionMeta } from '@appointment-emissions/contracts';

/** An appointment with the given fields, and neutral defaults for the others. */
export function appointment(fields: Partial<AppointmentSnapshot> & { _id: string }): AppointmentSnapshot {
  return {
    companyId: '0'.repeat(24),
    customerId: null,
    petId: null,
    serviceId: null,
    serviceItemId: null,
    staffId: null,
    locationId: null,
    start: '2026-11-23T09:00:00.000Z',
    end: '2026-11-23T10:00:00.000Z',
    status: 'scheduled',
    source: 'metabot',
    notes: null,
    createdAt: null,
    updatedAt: null,
    ...fields,
  };
}

export function meta(fields: Partial<EmissionMeta> & { epoch: string; offset: number }): EmissionMeta {
  const read = fields.read ?? 0;
  return {
    emissionId: `${fields.epoch}-${fields.offset}-${read}`,
    event: 'appointment:updated',
    read,
    attempt: 1,
    acceptedAt: '2026-11-23T08:00:00.000Z',
    publishedAt: '2026-11-23T08:00:00.005Z',
    replayed: read > 0,
    ...fields,
  };
}
