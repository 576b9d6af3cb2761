/** An appointment as the handlers speak of it. A stored value that is missing or malformed is `null`. */
export interface BookedAppointment {
  appointmentId: string;
  staffId: string | null;
  start: Date | null;
  end: Date | null;
}

export interface BookRequest {
  customerId: string;
  petId: string;
  serviceId: string;
  serviceItemId?: string | undefined;
  staffId: string;
  start: Date;
  durationMinutes: number;
  notes?: string | undefined;
}

export interface RescheduleRequest {
  appointmentId: string;
  start: Date;
  /** Without it the appointment keeps its length. */
  durationMinutes?: number | undefined;
  /** Without it the appointment stays with its staff member. */
  staffId?: string | undefined;
}

export type ReferenceName = 'customerId' | 'petId' | 'serviceId' | 'serviceItemId' | 'staffId';

/** Why an appointment cannot be saved as requested, though nobody else has the time. */
export type RefusalReason =
  /** The stored appointment has no usable length, and none was requested. */
  | 'unknown-length'
  /** The stored appointment has no staff member, and none was requested. */
  | 'unknown-staff'
  /** It would start or end outside of the years 0 to 9999. */
  | 'time-out-of-range'
  /** Others changed the appointment again and again during the request. */
  | 'changed-by-others'
  /** The store refused the write, and will refuse it again. */
  | 'store-refused';

export type BookingOutcome =
  /** `changed: false`: it already was as asked for, nothing was written. */
  | { outcome: 'done'; appointment: BookedAppointment; changed: boolean }
  /** The staff member has another appointment then; `own` is its id where it is the same pet's. */
  | { outcome: 'busy'; from: Date | null; to: Date | null; own?: string | undefined }
  /** No such document in this company. */
  | { outcome: 'unknown-reference'; reference: ReferenceName }
  | { outcome: 'unknown-appointment' }
  /** A canceled appointment stays canceled. */
  | { outcome: 'is-canceled'; appointment: BookedAppointment }
  /** Nothing was written. `cause` is for the log and holds no personal data. */
  | { outcome: 'refused'; reason: RefusalReason; cause?: string | undefined };

/**
 * Where the handlers' bookings are kept: for one company, which the bot chooses and the model never does. Two
 * overlapping bookings of one staff member must not both be done, however close together, from whichever process.
 * Rejects when the store fails.
 */
export interface BookingService {
  book(request: BookRequest): Promise<BookingOutcome>;
  reschedule(request: RescheduleRequest): Promise<BookingOutcome>;
  cancel(appointmentId: string): Promise<BookingOutcome>;
}
