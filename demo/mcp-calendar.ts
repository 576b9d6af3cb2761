/**
 * The calendar of the demo company for the MCP server: the module that its option `--calendar` names. It reads `MONGODB_URI`. Staff
 * members work every day during the opening hours.
 */
import { env } from 'node:process';
import { type Connection, Types } from 'mongoose';
import { pino } from 'pino';
import { addDays, instantAtOrAfter, wallTime } from '@appointment-emissions/contracts';
import type { CustomerCalendar, CalendarContext, Choices, FreePeriod } from '@appointment-emissions/mcp';
import { connectMongo } from '../src/population/connect.ts';
import { matchId } from '../src/population/stored-values.ts';
import { watchMongo } from '../src/redis/watch-mongo.ts';
import { NOT_FREED, readRow, ROW_FIELDS } from './appointment-row.ts';
import { createBookingService } from './booking-service.ts';
import { CLOSES_AT_MINUTES, OPENS_AT_MINUTES } from './catalogue.ts';
import { COLLECTIONS } from './models.ts';
import { createReadCatalogue } from './read-catalogue.ts';

interface Period {
  start: Date;
  end: Date;
}

const CONNECT_WITHIN_MS = 5_000;
const STANDARD_ERROR = 2;

export default async function openCalendar(context: CalendarContext): Promise<CustomerCalendar> {
  const { MONGODB_URI: mongodbUri } = env;
  if (!mongodbUri) throw new RangeError('MONGODB_URI is required');
  // Standard output belongs to the protocol.
  const logger = pino(pino.destination(STANDARD_ERROR));
  const mongo = connectMongo(mongodbUri, { serverSelectionMs: 2_000, ...watchMongo(logger) });
  await Promise.race([mongo.connected, new Promise((resolve) => setTimeout(resolve, CONNECT_WITHIN_MS))]);
  return { ...createCalendar(mongo.connection, context), close: () => mongo.close() };
}

export function createCalendar(
  connection: Connection,
  { companyId, customerId, timeZone }: CalendarContext,
): Omit<CustomerCalendar, 'close'> {
  const read = createReadCatalogue(connection, companyId);
  return {
    ...createBookingService({ connection, companyId, source: 'mcp' }),
    async choices() {
      const [catalogue, appointments] = await Promise.all([
        read.catalogue(),
        read.appointments(new Date(), customerId),
      ]);
      return toChoices(catalogue, appointments, customerId);
    },
    async freePeriods({ from, to, staffId }) {
      const { staff } = await read.catalogue();
      const ids = staff.map(({ id }) => id).filter((id) => staffId === undefined || id === staffId);
      const busy = await readBusy(connection, companyId, { from, to });
      const days = openHours(from, to, timeZone);
      return ids.flatMap((id) =>
        days.flatMap((day) => subtract(day, busy.get(id) ?? []).map((free) => ({ staffId: id, ...free }))),
      );
    },
  };
}

type Read = ReturnType<typeof createReadCatalogue>;

function toChoices(
  { customers, services, staff }: Awaited<ReturnType<Read['catalogue']>>,
  appointments: Awaited<ReturnType<Read['appointments']>>,
  customerId: string,
): Choices {
  return {
    pets: (customers.find(({ id }) => id === customerId)?.pets ?? []).map(({ id, name }) => ({
      petId: id,
      name,
    })),
    services: services.map(({ id, name, items }) => ({
      serviceId: id,
      name,
      items: items.map((item) => ({
        serviceItemId: item.id,
        name: item.price === null ? item.size : `${item.size} for ${item.price}`,
      })),
    })),
    staff: staff.map(({ id, name }) => ({ staffId: id, name })),
    appointments: appointments.map(({ id, ...appointment }) => ({ appointmentId: id, ...appointment })),
  };
}

/** The times that appointments take, by staff member. */
async function readBusy(
  connection: Connection,
  companyId: string,
  { from, to }: { from: Date; to: Date },
): Promise<Map<string, Period[]>> {
  const documents = await connection
    .collection(COLLECTIONS.appointments)
    .find(
      {
        companyId: matchId(Types.ObjectId, companyId),
        ...NOT_FREED,
        start: { $lt: to },
        end: { $gt: from },
      },
      { maxTimeMS: 2_000, enableUtf8Validation: false, projection: ROW_FIELDS },
    )
    .toArray();
  const busy = new Map<string, Period[]>();
  for (const { staffId, start, end } of documents.map(readRow)) {
    if (staffId === null || start === null || end === null) continue;
    busy.set(staffId, [...(busy.get(staffId) ?? []), { start, end }]);
  }
  return busy;
}

/** The opening hours of each day between two instants. */
function openHours(from: Date, to: Date, timeZone: string): Period[] {
  const lastDate = wallTime(new Date(to.getTime() - 1), timeZone).date;
  const hours: Period[] = [];
  for (let { date } = wallTime(from, timeZone); ; date = addDays(date, 1)) {
    const start = instantAtOrAfter(date, OPENS_AT_MINUTES, timeZone);
    hours.push({ start, end: instantAtOrAfter(date, CLOSES_AT_MINUTES, timeZone) });
    if (date >= lastDate) return hours;
  }
}

/** The parts of a period that no other period takes. */
function subtract(period: Period, taken: readonly Period[]): Omit<FreePeriod, 'staffId'>[] {
  const free: Period[] = [];
  let { start } = period;
  for (const other of [...taken].sort((a, b) => a.start.getTime() - b.start.getTime())) {
    if (other.start > start)
      free.push({ start, end: new Date(Math.min(other.start.getTime(), period.end.getTime())) });
    if (other.end > start) start = other.end;
  }
  free.push({ start, end: period.end });
  return free.filter(({ start: begin, end }) => begin < end);
}
