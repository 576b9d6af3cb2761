import type { AppointmentSnapshot } from '@appointment-emissions/contracts';
import { type AppointmentModel, type ModelField, ownFields } from '../model/appointment-model.ts';
import type { FieldType } from '../model/description.ts';
import { amount, id, instant, type RawDocument, truth, words } from './stored-values.ts';

/**
 * Turns documents into the plain JSON that is sent to dashboards. Only the fields of the model are sent. A field whose
 * stored value has the wrong type is `null`.
 * @param references  documents in the order of the model's references; `undefined` if missing or of another company
 */
export type ToSnapshot = (
  appointment: RawDocument,
  references: readonly (RawDocument | undefined)[],
) => AppointmentSnapshot;

type ReadValue = (value: unknown) => unknown;

const READ: Record<FieldType, ReadValue> = {
  text: words,
  number: amount,
  boolean: truth,
  date: instant,
  id,
};

/** Compiles the model to lists of fields with their readers. */
export function createToSnapshot(model: AppointmentModel): ToSnapshot {
  const { companyField } = model;
  const references = model.references.map(({ field, fields }) => ({ field, fields: fields.map(toReader) }));
  const own = ownFields(model).map((field) => ({ ...toReader(field), storedAs: field.storedAs }));
  return (appointment, documents) => {
    const snapshot: Record<string, unknown> = {
      _id: id(appointment['_id']) ?? '',
      companyId: id(appointment[companyField]) ?? '',
    };
    references.forEach(({ field, fields }, index) => {
      const document = documents[index];
      snapshot[field] = document ? toReference(document, fields) : null;
    });
    for (const { name, storedAs, read } of own) snapshot[name] = read(appointment[storedAs]);
    // The type of the default model; the server itself reads only keys that every model has.
    return snapshot as unknown as AppointmentSnapshot;
  };
}

function toReader({ name, type }: ModelField): { name: string; read: ReadValue } {
  return { name, read: READ[type] };
}

function toReference(document: RawDocument, fields: readonly { name: string; read: ReadValue }[]): object {
  const sent: Record<string, unknown> = { _id: id(document['_id']) ?? '' };
  for (const { name, read } of fields) sent[name] = read(document[name]);
  return sent;
}
