import { type AppointmentSnapshot, type Id, OBJECT_ID } from '@appointment-emissions/contracts';
import type { AppointmentModel } from './appointment-model.ts';

/** A reference field and the id that it holds. */
export type Reference = readonly [field: string, id: Id];

/** The ids that a snapshot refers to, as one text in the order of the model. It is kept as a guess for the next read. */
export type PackReferences = (snapshot: AppointmentSnapshot) => string;

export function createPackReferences({ references }: AppointmentModel): PackReferences {
  const fields = references.map(({ field }) => field);
  return (snapshot) => {
    const sent = snapshot as unknown as Readonly<Record<string, { _id: Id } | null>>;
    return fields.map((field) => sent[field]?._id ?? '').join(' ');
  };
}

/** Reads a text of {@link PackReferences}. Parts that are not ids are left out: another model may have written it. */
export function createUnpackReferences({ references }: AppointmentModel): (text: string) => Reference[] {
  return (text) => {
    const ids = text.split(' ');
    return references.flatMap(({ field }, index) => {
      const referredTo = ids[index] ?? '';
      return OBJECT_ID.test(referredTo) ? [[field, referredTo] as const] : [];
    });
  };
}
