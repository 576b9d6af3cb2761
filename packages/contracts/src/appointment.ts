/** A MongoDB ObjectId as 24 lower-case hexadecimal characters: `65f0c0ffee65f0c0ffee00c0`. */
export type Id = string;
/** An instant in ISO 8601, in UTC and with milliseconds: `2026-11-23T09:00:00.000Z`. */
export type IsoDate = string;

export interface CustomerSnapshot {
  _id: Id;
  fullName: string | null;
  email: string | null;
  phone: string | null;
}

export interface PetSnapshot {
  _id: Id;
  name: string | null;
  species: string | null;
  breed: string | null;
  size: string | null;
  coatType: string | null;
}

export interface ServiceSnapshot {
  _id: Id;
  name: string | null;
}

/** The variant of a service for one size and coat, with its price in the company's currency. */
export interface ServiceItemSnapshot {
  _id: Id;
  size: string | null;
  coatType: string | null;
  price: number | null;
}

export interface StaffSnapshot {
  _id: Id;
  fullName: string | null;
  role: string | null;
}

/**
 * One appointment with its references populated, as it is sent to dashboards. It contains exactly these fields.
 *
 * A reference is `null` if it is missing, if its document no longer exists, or if the document belongs to another
 * company. Any other field is `null` if the stored value is missing or has the wrong type.
 *
 * @example
 * ```ts
 * const label = `${appointment.petId?.name ?? 'Unknown pet'}, ${appointment.start ?? 'no time yet'}`;
 * ```
 */
export interface AppointmentSnapshot {
  _id: Id;
  /** The company that owns the appointment. It never changes. */
  companyId: Id;
  customerId: CustomerSnapshot | null;
  petId: PetSnapshot | null;
  serviceId: ServiceSnapshot | null;
  serviceItemId: ServiceItemSnapshot | null;
  staffId: StaffSnapshot | null;
  /** Not populated: only the id is sent. */
  locationId: Id | null;
  start: IsoDate | null;
  end: IsoDate | null;
  /** The application's own word, such as `scheduled`, `checked_in` or `canceled`. */
  status: string | null;
  /** Where the appointment was booked, for example `instagram`. */
  source: string | null;
  notes: string | null;
  createdAt: IsoDate | null;
  updatedAt: IsoDate | null;
}
