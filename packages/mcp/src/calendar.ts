import type { CustomerBookingService } from '@appointment-emissions/bot';

/** What the operator has fixed for all tool calls of a server. A model can neither read nor change it. */
export interface CalendarContext {
  /** 24 hexadecimal characters in lower case. */
  companyId: string;
  /** A customer of the company; 24 hexadecimal characters in lower case. */
  customerId: string;
  /** IANA name of the time zone in which dates are read and times are shown. */
  timeZone: string;
}

/** Times in which a staff member works and has no appointment. */
export interface FreePeriod {
  staffId: string;
  start: Date;
  end: Date;
}

/** The ids that the tools take, with the names for a person. The customer's e-mail address and phone number are not among them. */
export interface Choices {
  /** The customer's pets. */
  pets: { petId: string; name: string }[];
  /** `items` are a service's variants for sizes and coats. */
  services: { serviceId: string; name: string; items: { serviceItemId: string; name: string }[] }[];
  staff: { staffId: string; name: string }[];
  /** The customer's appointments that have not ended and are not canceled, by `start`. Times are ISO 8601 in UTC. */
  appointments: {
    appointmentId: string;
    petId: string | null;
    serviceId: string | null;
    staffId: string | null;
    start: string;
    end: string | null;
  }[];
}

/**
 * The calendar of one company, as the MCP server uses it: the booking service of the
 * [bot library](https://www.npmjs.com/package/@appointment-emissions/bot), and two reads. Each method rejects if the database is
 * unavailable.
 */
export interface CustomerCalendar extends CustomerBookingService {
  choices(): Promise<Choices>;
  /** The free periods of one staff member, or of all, between two instants. Their order does not matter. */
  freePeriods(search: { from: Date; to: Date; staffId: string | undefined }): Promise<FreePeriod[]>;
  /** Called once, after the last tool call. */
  close(): Promise<void>;
}

/**
 * The default export of the module that the command is started with.
 *
 * @example
 * ```ts
 * // calendar.js
 * export default async function openCalendar({ companyId, customerId }) {
 *   const client = await MongoClient.connect(process.env.MONGODB_URI);
 *   return { book, reschedule, cancel, customerOf, choices, freePeriods, close: () => client.close() };
 * }
 * ```
 */
export type OpenCalendar = (context: CalendarContext) => CustomerCalendar | Promise<CustomerCalendar>;
