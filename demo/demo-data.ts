import { createHash } from 'node:crypto';
import {
  CLOSES_AT_MINUTES,
  CUSTOMERS,
  DEMO_COMPANY,
  demoId,
  OPENS_AT_MINUTES,
  SERVICES,
  SIZES,
  STAFF,
} from './catalogue.ts';
import type { AppointmentStatus } from './models.ts';
import { addDays, instantAtOrAfter, type LocalDate, wallTime } from '@appointment-emissions/contracts';

const companyId = DEMO_COMPANY.id;
const DAYS_BEFORE = 3;
const DAYS_AFTER = 3;
const CANCELED_EVERY = 11;
/** Each groomer has started by then, and has not yet finished. */
const FIRST_BUSY_MINUTE = 10 * 60 + 30;
const LAST_BUSY_MINUTE = 13 * 60 + 30;
const BOOKED_DAYS_AHEAD = 8;

/** Documents that do not depend on the date, by model. */
export function masterData() {
  return {
    Staff: STAFF.map((person, n) => ({ _id: demoId(`staff/${n}`), companyId, ...person })),
    Customer: CUSTOMERS.map(({ fullName }, n) => ({
      _id: demoId(`customer/${n}`),
      companyId,
      fullName,
      email: `${fullName.toLowerCase().replace(' ', '.')}@example.com`,
      phone: `+1 555 01${String(n).padStart(2, '0')}`,
    })),
    Pet: CUSTOMERS.map(({ pet }, n) => ({
      _id: demoId(`pet/${n}`),
      companyId,
      customerId: demoId(`customer/${n}`),
      ...pet,
    })),
    Service: SERVICES.map(({ name }, n) => ({ _id: demoId(`service/${n}`), companyId, name })),
    ServiceItem: SERVICES.flatMap(({ price }, n) =>
      SIZES.map((size) => ({
        _id: demoId(`service item/${n}/${size}`),
        companyId,
        serviceId: demoId(`service/${n}`),
        size,
        coatType: 'any',
        price: price[size],
      })),
    ),
  };
}

/**
 * The appointments of the week around an instant: full working days without overlaps, with every status. Earlier days are done,
 * later ones are scheduled, and today each groomer has one appointment in progress while the next customer has arrived.
 */
export function appointmentsAround(now: Date, timeZone: string) {
  const { date: today, minute } = wallTime(now, timeZone);
  const days = Array.from({ length: DAYS_BEFORE + 1 + DAYS_AFTER }, (_, n) =>
    addDays(today, n - DAYS_BEFORE),
  );
  return days.flatMap((date) =>
    STAFF.flatMap((_, staff) => {
      const times = workingDay(date, staff);
      const statuses = statusesOf(times, date < today ? Infinity : date > today ? -Infinity : minute);
      return times.map((time, n) => toDocument(time, statuses[n] ?? 'scheduled', timeZone));
    }),
  );
}

interface Booking {
  date: LocalDate;
  staff: number;
  /** Number on the groomer's day, from 0. */
  n: number;
  service: number;
  /** In minutes since midnight. */
  from: number;
  to: number;
}

/** The times of one groomer on one day. Deterministic. */
function workingDay(date: LocalDate, staff: number): Booking[] {
  const bookings: Booking[] = [];
  let from = OPENS_AT_MINUTES + 30 * pick(3, date, staff, 'first');
  for (let n = 0; ; n += 1) {
    const service = pick(SERVICES.length, date, staff, n, 'service');
    const to = from + (SERVICES[service]?.minutes ?? 60);
    if (to > CLOSES_AT_MINUTES) return bookings;
    bookings.push({ date, staff, n, service, from, to });
    from = to + 30 * pick(3, date, staff, n, 'pause');
  }
}

/**
 * The statuses of one groomer's day at a time of that day. Before and after the busy hours they are those of the first and the last
 * busy hour, so that the demo shows all of them at any time.
 * @param minute since midnight; -Infinity if the day is to come, Infinity if it is over
 */
function statusesOf(day: readonly Booking[], minute: number): AppointmentStatus[] {
  const isToday = Number.isFinite(minute);
  const at = isToday ? Math.min(Math.max(minute, FIRST_BUSY_MINUTE), LAST_BUSY_MINUTE) : minute;
  const isCanceled = ({ date, staff, n }: Booking) => pick(CANCELED_EVERY, date, staff, n, 'canceled') === 0;
  const kept = day.filter((booking) => !isCanceled(booking));
  const started = kept.filter(({ from }) => from <= at);
  const [current, next] = isToday ? [started.at(-1), kept[started.length]] : [];
  return day.map((booking) => {
    if (isCanceled(booking)) return 'canceled';
    if (booking === current) return 'in_progress';
    if (booking === next) return 'checked_in';
    if (booking.from > at) return 'scheduled';
    return booking === kept[0] && isNoShowDay(booking) ? 'no_show' : 'completed';
  });
}

/** On each day the first customer of one groomer does not come. */
function isNoShowDay({ date, staff }: Booking): boolean {
  return pick(STAFF.length, date, 'no-show') === staff;
}

function toDocument(
  { date, staff, n, service, from, to }: Booking,
  status: AppointmentStatus,
  timeZone: string,
) {
  // Each groomer has their own customers, so that no pet has two appointments at the same time.
  const regulars = [...CUSTOMERS.keys()].filter((customer) => customer % STAFF.length === staff);
  const customer = regulars[pick(regulars.length, date, staff, n, 'customer')] ?? 0;
  // Booked days ago: the sweep would emit appointments that were written in the last 24 hours.
  const bookedAt = instantAtOrAfter(addDays(date, -BOOKED_DAYS_AHEAD), from, timeZone);
  return {
    _id: demoId(`appointment/${date}/${staff}/${n}`),
    companyId,
    customerId: demoId(`customer/${customer}`),
    petId: demoId(`pet/${customer}`),
    serviceId: demoId(`service/${service}`),
    serviceItemId: demoId(`service item/${service}/${CUSTOMERS[customer]?.pet.size ?? 'medium'}`),
    staffId: demoId(`staff/${staff}`),
    start: instantAtOrAfter(date, from, timeZone),
    end: instantAtOrAfter(date, to, timeZone),
    status,
    source: pick(2, date, staff, n, 'source') === 0 ? 'instagram' : 'phone',
    notes: '',
    createdAt: bookedAt,
    updatedAt: bookedAt,
  };
}

/** A pseudorandom number below `count` that depends only on the seed. */
function pick(count: number, ...seed: readonly (string | number)[]): number {
  return createHash('sha256').update(seed.join('/')).digest().readUInt32BE(0) % count;
}
