import type { AppointmentSnapshot } from '@appointment-emissions/contracts';
import { appointment } from '../appointment-fixture.ts';
import { booked } from './page-world.ts';

const STATUSES = ['scheduled', 'checked_in', 'in_progress', 'completed', 'canceled', 'no_show'];
const PETS = ['Biscuit', 'Rex', 'Miso', 'Pixel', 'Fluffy', 'Coco', 'Simba', 'Otto'];
const pad = (number: number) => String(number).padStart(2, '0');
const clock = (minute: number) => `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`;

/** Sixty appointments of one day: all statuses, a quarter of an hour to two hours, many of them at the same time. */
function sixty(staff: number): AppointmentSnapshot[] {
  return Array.from({ length: 60 }, (_, n) => {
    const from = 8 * 60 + (n % 20) * 30;
    const id = `n${n}`;
    return {
      ...booked(
        id,
        PETS[n % PETS.length] ?? '',
        `${clock(from)}-${clock(from + [15, 30, 60, 120][n % 4]!)}`,
        'maya',
      ),
      status: STATUSES[n % STATUSES.length] ?? null,
      staffId: {
        _id: `staff${n % staff}`,
        fullName: `Groomer ${String.fromCharCode(65 + (n % staff))}`,
        role: 'Groomer',
      },
    };
  });
}

const LONG = 'Maximiliana-Alexandrina von und zu Hohenstein-Oberstaufenbach the Third';

/** Days that are difficult to show, on 23 November 2026. */
export const STATES: Record<string, AppointmentSnapshot[]> = {
  empty: [],
  statuses: [
    ...STATUSES.map((status, n) => ({
      ...booked(status, PETS[n] ?? '', `${clock(540 + n * 60)}-${clock(600 + n * 60)}`, 'maya'),
      status,
    })),
    ...STATUSES.map((status, n) => ({
      ...booked(`short ${status}`, PETS[n] ?? '', `${clock(540 + n * 30)}-${clock(555 + n * 30)}`, 'jonas'),
      status,
    })),
  ],
  overlaps: [
    ...[0, 1, 2, 3, 4, 5].map((n) => ({
      ...booked(`o${n}`, PETS[n] ?? '', n % 2 === 0 ? '10:00-10:15' : '10:00-11:30', 'maya'),
      status: STATUSES[n] ?? null,
    })),
    booked('pair', 'Otto', '09:00-10:00', 'jonas'),
    booked('pair too', 'Simba', '09:30-10:30', 'jonas'),
  ],
  nights: [
    booked('early', 'Biscuit', '00:15-01:00', 'maya'),
    {
      ...booked('overnight', 'Rex', '22:00-23:00', 'maya'),
      start: '2026-11-22T22:00:00.000Z',
      end: '2026-11-23T07:00:00.000Z',
    },
    {
      ...booked('stay', 'Miso', '22:00-23:00', 'jonas'),
      start: '2026-11-21T10:00:00.000Z',
      end: '2026-11-26T10:00:00.000Z',
    },
  ],
  names: [
    {
      ...booked('long', LONG, '09:00-10:00', 'maya'),
      customerId: { _id: 'c', fullName: LONG, email: null, phone: null },
      serviceId: { _id: 's', name: `${LONG}, ${LONG}` },
      staffId: { _id: 'long', fullName: LONG, role: LONG },
    },
    {
      ...booked('unbroken', 'W'.repeat(90), '10:00-11:00', 'maya'),
      staffId: { _id: 'long', fullName: LONG, role: LONG },
    },
    {
      ...booked('rtl', 'כלב (1)', '09:00-10:00', 'jonas'),
      customerId: { _id: 'hc', fullName: 'أحمد بن سعيد 2', email: null, phone: null },
      staffId: { _id: 'rtl', fullName: 'שרה כהן', role: 'מספרת' },
    },
    appointment({ _id: 'bare', start: '2026-11-23T11:00:00.000Z', end: null, status: null }),
  ],
  'no staff': [{ ...booked('free', 'Rex', '09:00-10:00', 'maya'), staffId: null }],
  'twelve staff': sixty(12),
  'sixty of three': sixty(3),
};
