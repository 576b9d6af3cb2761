import { type AppointmentSnapshot, type Id, OBJECT_ID } from '@appointment-emissions/contracts';

/** An appointment's fields that refer to documents of other collections. */
export const REFERENCE_FIELDS = ['customerId', 'petId', 'serviceId', 'serviceItemId', 'staffId'] as const;
export type ReferenceField = (typeof REFERENCE_FIELDS)[number];

/**
 * The ids of a snapshot's references as one text. The order key keeps it, and the next read of the appointment loads
 * these documents together with the appointment, in case they have not changed.
 */
export function packReferences(snapshot: AppointmentSnapshot): string {
  return REFERENCE_FIELDS.map((field) => snapshot[field]?._id ?? '').join(' ');
}

/** @param text  result of `packReferences`; parts that are not ids are skipped */
export function unpackReferences(text: string): (readonly [ReferenceField, Id])[] {
  const ids = text.split(' ');
  return REFERENCE_FIELDS.flatMap((field, index) => {
    const referredTo = ids[index] ?? '';
    return OBJECT_ID.test(referredTo) ? [[field, referredTo] as const] : [];
  });
}
