/** An appointment as the tool handlers use it. A field is `null` if the stored value is missing or malformed. */
export interface BookedAppointment {
  appointmentId: string;
  staffId: string | null;
  start: Date | null;
  end: Date | null;
}

/** Arguments of `book_appointment`, validated. */
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

/** Arguments of `reschedule_appointment`, validated. */
export interface RescheduleRequest {
  appointmentId: string;
  start: Date;
  /** If omitted, the appointment keeps its length. */
  durationMinutes?: number | undefined;
  /** If omitted, the appointment keeps its staff member. */
  staffId?: string | undefined;
}

export type ReferenceName = 'customerId' | 'petId' | 'serviceId' | 'serviceItemId' | 'staffId';

/** Why an appointment cannot be saved although the staff member is free. */
export type RefusalReason =
  /** The stored appointment has no valid length, and the request has none. */
  | 'unknown-length'
  /** The stored appointment has no staff member, and the request has none. */
  | 'unknown-staff'
  /** The appointment would start or end outside the years 0 to 9999. */
  | 'time-out-of-range'
  /** The customer did not come, so the appointment is over. */
  | 'no-show'
  /** Concurrent changes of the appointment prevented each attempt. */
  | 'changed-by-others'
  /** The store rejected the write, and would reject it again. */
  | 'store-refused';

/** Result of a booking operation. */
export type BookingOutcome =
  /** `changed` is false if the appointment was already as requested, so nothing was written. */
  | { outcome: 'done'; appointment: BookedAppointment; changed: boolean }
  /**
   * The staff member has another appointment at that time, or the pet has one with another staff member (`of: 'pet'`). `own` is its
   * id if it is for the same pet.
   */
  | {
      outcome: 'busy';
      from: Date | null;
      to: Date | null;
      own?: string | undefined;
      of?: 'staff' | 'pet' | undefined;
    }
  /** The company has no document with the id in the field `reference`. */
  | { outcome: 'unknown-reference'; reference: ReferenceName }
  | { outcome: 'unknown-appointment' }
  /** A canceled appointment cannot be rescheduled. */
  | { outcome: 'is-canceled'; appointment: BookedAppointment }
  /** Nothing was written. `cause` is for the log and holds no personal data. */
  | { outcome: 'refused'; reason: RefusalReason; cause?: string | undefined };

/**
 * Stores the appointments of one company. Implement it over your database; the tool handlers call it.
 *
 * - The bot decides the company. A model must never choose it.
 * - Of two overlapping bookings of one staff member, at most one may succeed, even if they run concurrently in different processes.
 * - Each method rejects if the store is unavailable. Every other result is a {@link BookingOutcome}.
 *
 * @example
 * ```ts
 * const bookings: BookingService = {
 *   book: async (request) => ({ outcome: 'done', appointment: await insert(request), changed: true }),
 *   reschedule: …,
 *   cancel: …,
 * };
 * const tools = createToolHandlers({ bookings, realtime, logger });
 * ```
 */
export interface BookingService {
  book(request: BookRequest): Promise<BookingOutcome>;
  reschedule(request: RescheduleRequest): Promise<BookingOutcome>;
  cancel(appointmentId: string): Promise<BookingOutcome>;
}

/** A {@link BookingService} for tools that serve one customer only, see `bookingsOfCustomer`. */
export interface CustomerBookingService extends BookingService {
  /** Resolves to the id of an appointment's customer, and to `null` if the company has no such appointment. */
  customerOf(appointmentId: string): Promise<string | null>;
}

/**
 * Restricts a booking service to one customer: it books for this customer, and the appointments of other customers are
 * unknown to it. Without it a model could be persuaded to move or cancel the appointment of another customer.
 */
export function bookingsOfCustomer(bookings: CustomerBookingService, customerId: string): BookingService {
  async function ifOwn(
    appointmentId: string,
    change: () => Promise<BookingOutcome>,
  ): Promise<BookingOutcome> {
    const owner = await bookings.customerOf(appointmentId);
    return owner?.toLowerCase() === customerId.toLowerCase() ? change() : { outcome: 'unknown-appointment' };
  }

  return {
    async book(request) {
      const outcome = await bookings.book({ ...request, customerId });
      // The model cannot correct this id.
      return outcome.outcome === 'unknown-reference' && outcome.reference === 'customerId'
        ? { outcome: 'refused', reason: 'store-refused', cause: `the company has no customer ${customerId}` }
        : outcome;
    },
    reschedule: (request) => ifOwn(request.appointmentId, () => bookings.reschedule(request)),
    cancel: (appointmentId) => ifOwn(appointmentId, () => bookings.cancel(appointmentId)),
  };
}
