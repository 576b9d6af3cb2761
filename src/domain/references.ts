import { type AppointmentSnapshot, type Id, OBJECT_ID } from '@appointment-emissions/contracts';

/** An appointment's fields that refer to documents of other collections. */
export const REFERENCE_FIELDS = ['customerId', 'petId', 'serviceId', 'serviceItemId', 'staffId'] as const;
export type ReferenceField = (typeof REFERENCE_FIELDS)[number];

/** What a snapshot refers to, as one text; kept until it is read next, as a guess. */
export function packReferences(snapshot: AppointmentSnapshot): string {
  return REFERENCE_FIELDS.map((field) => snapshot[field]?._id ?? '').join(' ');
}

/** @param text  of `packReferences`; of anything else what is no id is left out */
export function unpackReferences(text: string): (readonly [ReferenceField, Id])[] {
  const ids = text.split(' ');
  return REFERENCE_FIELDS.flatMap((field, index) => {
    const referredTo = ids[index] ?? '';
    return OBJECT_ID.test(referredTo) ? [[field, referredTo] as const] : [];
  });
}
