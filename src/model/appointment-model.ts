import type { FieldType } from './description.ts';

/** A field of a document that is sent under its own name. */
export interface ModelField {
  name: string;
  type: FieldType;
}

export interface ReferenceModel {
  /** The appointment's field, under which the document is sent. */
  field: string;
  collection: string;
  companyField: string;
  fields: readonly ModelField[];
}

/** A checked description, with its defaults filled in. {@link parseModel} returns it. */
export interface AppointmentModel {
  collection: string;
  companyField: string;
  references: readonly ReferenceModel[];
  fields: readonly ModelField[];
  times: { start: string; end: string; createdAt: string; updatedAt: string };
  statusField: string;
  canceledStatuses: readonly string[];
  deletedField: string | undefined;
  /** Maps the claims of a token to its scope. Undefined if the claim `scope` is the scope. */
  scopeOf: ((claims: Readonly<Record<string, unknown>>) => unknown) | undefined;
}

/** A field of the appointment's own: the key it is sent under, and the document's field that it is read from. */
export interface OwnField extends ModelField {
  storedAs: string;
}

/**
 * The appointment's own fields in the order in which they are sent, after `_id`, the company and the references: further ids,
 * start, end, status, other fields, and the times of creation and of the last write.
 */
export function ownFields({ fields, times, statusField }: AppointmentModel): OwnField[] {
  const further = fields.map((field) => ({ ...field, storedAs: field.name }));
  return [
    ...further.filter(({ type }) => type === 'id'),
    { name: 'start', type: 'date', storedAs: times.start },
    { name: 'end', type: 'date', storedAs: times.end },
    { name: 'status', type: 'text', storedAs: statusField },
    ...further.filter(({ type }) => type !== 'id'),
    { name: 'createdAt', type: 'date', storedAs: times.createdAt },
    { name: 'updatedAt', type: 'date', storedAs: times.updatedAt },
  ];
}

/** Keys that every snapshot has, besides `_id`. */
export const FIXED_KEYS = ['companyId', 'start', 'end', 'status', 'createdAt', 'updatedAt'] as const;

/** Whether a stored status means canceled. */
export function createIsCanceled({ canceledStatuses }: AppointmentModel): (status: unknown) => boolean {
  const canceled: ReadonlySet<unknown> = new Set(canceledStatuses);
  return (status) => canceled.has(status);
}

/** Whether a stored document is one of a deleted appointment. {@link notDeleted} is the same as a filter. */
export function createIsDeleted({
  deletedField,
}: AppointmentModel): (document: Readonly<Record<string, unknown>>) => boolean {
  if (deletedField === undefined) return () => false;
  return (document) => (document[deletedField] ?? false) !== false;
}

/** Filter for the documents of appointments that are not deleted: it matches missing fields too. */
export function notDeleted({ deletedField }: AppointmentModel): Record<string, { $in: (null | false)[] }> {
  return deletedField === undefined ? {} : { [deletedField]: { $in: [null, false] } };
}
