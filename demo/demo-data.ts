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
import { addDays, instantAtOrAfter, type LocalDate } from '@appointment-emissions/contracts';

const companyId = DEMO_COMPANY.id;
const DAYS_BEFORE = 3;
const DAYS_AFTER = 3;
const CANCELED_EVERY = 11;
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

/** The appointments of the week around a date: full working days without overlaps. */
export function appointmentsAround(today: LocalDate, timeZone: string) {
  const days = Array.from({ length: DAYS_BEFORE + 1 + DAYS_AFTER }, (_, n) =>
    addDays(today, n - DAYS_BEFORE),
  );
  return days.flatMap((date) => STAFF.flatMap((_, staff) => workingDay(date, staff, timeZone)));
}

/** The appointments of one groomer on one day. Deterministic. */
function workingDay(date: LocalDate, staff: number, timeZone: string) {
  const appointments = [];
  // Each groomer has their own customers, so that no pet has two appointments at the same time.
  const regulars = [...CUSTOMERS.keys()].filter((n) => n % STAFF.length === staff);
  let minute = OPENS_AT_MINUTES + 30 * pick(3, date, staff, 'first');
  for (let n = 0; ; n += 1) {
    const customer = regulars[pick(regulars.length, date, staff, n, 'customer')] ?? 0;
    const service = pick(SERVICES.length, date, staff, n, 'service');
    const end = minute + (SERVICES[service]?.minutes ?? 60);
    if (end > CLOSES_AT_MINUTES) return appointments;
    // Booked days ago: the sweep would emit appointments that were written in the last 24 hours.
    const bookedAt = instantAtOrAfter(addDays(date, -BOOKED_DAYS_AHEAD), minute, timeZone);
    appointments.push({
      _id: demoId(`appointment/${date}/${staff}/${n}`),
      companyId,
      customerId: demoId(`customer/${customer}`),
      petId: demoId(`pet/${customer}`),
      serviceId: demoId(`service/${service}`),
      serviceItemId: demoId(`service item/${service}/${CUSTOMERS[customer]?.pet.size ?? 'medium'}`),
      staffId: demoId(`staff/${staff}`),
      start: instantAtOrAfter(date, minute, timeZone),
      end: instantAtOrAfter(date, end, timeZone),
      status:
        pick(CANCELED_EVERY, date, staff, n, 'canceled') === 0
          ? ('canceled' as const)
          : ('scheduled' as const),
      source: pick(2, date, staff, n, 'source') === 0 ? 'instagram' : 'phone',
      notes: '',
      createdAt: bookedAt,
      updatedAt: bookedAt,
    });
    minute = end + 30 * pick(3, date, staff, n, 'pause');
  }
}

/** A pseudorandom number below `count` that depends only on the seed. */
function pick(count: number, ...seed: readonly (string | number)[]): number {
  return createHash('sha256').update(seed.join('/')).digest().readUInt32BE(0) % count;
}
