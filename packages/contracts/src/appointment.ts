/** An ObjectId as 24 lower-case hex characters. */
export type Id = string;
/** An instant as ISO 8601 in UTC, milliseconds included: `2026-11-23T09:00:00.000Z`. */
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
 * One appointment, fully populated, as a screen is given it. A reference that is missing, or whose document is
 * gone, is `null`. Nothing else is sent.
 */
export interface AppointmentSnapshot {
  _id: Id;
  companyId: Id;
  customerId: CustomerSnapshot | null;
  petId: PetSnapshot | null;
  serviceId: ServiceSnapshot | null;
  serviceItemId: ServiceItemSnapshot | null;
  staffId: StaffSnapshot | null;
  locationId: Id | null;
  start: IsoDate | null;
  end: IsoDate | null;
  /** `scheduled` or `canceled`. */
  status: string | null;
  source: string | null;
  notes: string | null;
  createdAt: IsoDate | null;
  updatedAt: IsoDate | null;
}
