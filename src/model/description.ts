import type { AppointmentSnapshot, Id, IsoDate } from '@appointment-emissions/contracts';

/** Types that a field can be sent as. A stored value of another type is sent as `null`. */
export const FIELD_TYPES = ['text', 'number', 'boolean', 'date', 'id'] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** A field that is sent: its name if it is text, else its name and type. */
export type FieldDescription = string | { readonly name: string; readonly type: FieldType };

/** Where the document is that a field of an appointment refers to, and which of its fields are sent. */
export interface ReferenceDescription {
  /** Name of the MongoDB collection, such as `servicecategories`. The reference holds the `_id` of its document. */
  readonly collection: string;
  /** Fields that are sent after `_id`, in this order. */
  readonly fields: readonly FieldDescription[];
  /**
   * Field with the company of a document in this collection. Default: the model's `companyField`. A document without it is
   * shared by all companies. A document of another company is never sent.
   */
  readonly companyField?: string;
}

/**
 * How an application stores its appointments. Everything that reads or sends appointments follows from it.
 *
 * @example
 * ```ts
 * export default defineModel({
 *   collection: 'appointments',
 *   references: {
 *     customerId: { collection: 'contacts', fields: ['fullName', 'email', 'phone'] },
 *     serviceItemId: { collection: 'serviceitems', fields: ['size', { name: 'price', type: 'number' }] },
 *   },
 *   fields: [{ name: 'locationId', type: 'id' }, 'notes'],
 *   status: { canceled: ['canceled', 'no_show'] },
 * });
 * ```
 */
export interface ModelDescription {
  /** Name of the collection of appointments. */
  readonly collection: string;
  /** Key: the appointment's field. It is sent under this name, populated. */
  readonly references: Readonly<Record<string, ReferenceDescription>>;
  /** Further fields of the appointment that are sent. */
  readonly fields?: readonly FieldDescription[];
  /** Field with the appointment's company. Default `companyId`; it is sent as `companyId`. */
  readonly companyField?: string;
  /** Fields with the appointment's times, if they have other names. They are sent under these keys. */
  readonly times?: {
    readonly start?: string;
    readonly end?: string;
    readonly createdAt?: string;
    readonly updatedAt?: string;
  };
  readonly status?: {
    /** Default `status`; it is sent as `status`. */
    readonly field?: string;
    /** Values that mean canceled. Default `['canceled']`. All values are sent as they are stored. */
    readonly canceled?: readonly string[];
  };
  /**
   * Field that marks an appointment as deleted while its document stays, such as `deletedAt` or `isDeleted`. Any value but
   * `null` and `false` marks it. Dashboards get the deletion, and lists leave the appointment out, as without its document.
   */
  readonly deletedField?: string;
  /**
   * Maps the claims of a verified dashboard token to a scope, or to undefined for the whole company; also as a promise. Then the
   * claim `scope` itself is not read. If it throws, or returns something that is no scope, the token is refused. Embedded
   * pipelines have options of the same name instead.
   * @example scopeOf: ({ role, sub }) => (role === 'groomer' ? { staffId: sub } : undefined)
   */
  readonly scopeOf?: (claims: Readonly<Record<string, unknown>>) => unknown;
}

/**
 * Checks the names of the keys at compile time and keeps the literal types, so that {@link SnapshotOf} can derive the type
 * of the events. The values are checked when a process starts.
 */
export function defineModel<const Description extends ModelDescription>(
  description: Description,
): Description {
  return description;
}

interface SentTypes {
  text: string;
  number: number;
  boolean: boolean;
  date: IsoDate;
  id: Id;
}
type NameOf<Field> = Field extends { readonly name: infer Name extends string } ? Name : Field & string;
type SentAs<Field> = Field extends { readonly type: infer Type extends FieldType } ? SentTypes[Type] : string;
type SentFields<Fields extends readonly FieldDescription[]> = {
  [Field in Fields[number] as NameOf<Field>]: SentAs<Field> | null;
};

/** The snapshot that is sent for a description: the type argument of `AppointmentPayload`. */
export type SnapshotOf<Description extends ModelDescription> = Pick<
  AppointmentSnapshot,
  '_id' | 'companyId' | 'start' | 'end' | 'status' | 'createdAt' | 'updatedAt'
> & {
  [Field in keyof Description['references']]:
    ({ _id: Id } & SentFields<Description['references'][Field]['fields']>) | null;
} & (Description extends { readonly fields: infer Fields extends readonly FieldDescription[] }
    ? SentFields<Fields>
    : unknown);
