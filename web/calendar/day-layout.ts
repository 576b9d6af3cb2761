import {
  type AppointmentSnapshot,
  endOfDay,
  type Id,
  type LocalDate,
  startOfDay,
  wallTime,
} from '@appointment-emissions/contracts';

/** A column of the day: one of the staff. */
export interface Column {
  staffId: Id | null;
  name: string;
  role: string;
}

/** Where an appointment stands on its day. */
export interface Placement {
  appointment: AppointmentSnapshot;
  column: number;
  /** Appointments of a column that overlap stand side by side: this one in `lane` of `lanes`. */
  lane: number;
  lanes: number;
  /** Minutes of the day by the clock: the part of the appointment that lies on this day. */
  from: number;
  to: number;
}

const DAY_MINUTES = 24 * 60;
const ASSUMED_MINUTES = 30;
const LEAST_MINUTES = 15;

/** Everybody who has an appointment, by name, so that a column stays where it is from day to day. */
export function columnsOf(appointments: Iterable<AppointmentSnapshot>): Column[] {
  const byId = new Map<Id | null, Column>();
  for (const { staffId } of appointments) {
    const name = staffId?.fullName ?? (staffId ? 'Unnamed' : 'Not assigned');
    byId.set(staffId?._id ?? null, { staffId: staffId?._id ?? null, name, role: staffId?.role ?? '' });
  }
  return [...byId.values()].sort(
    (a, b) =>
      Number(a.staffId === null) - Number(b.staffId === null) ||
      compare(a.name, b.name) ||
      compare(a.staffId, b.staffId),
  );
}

const compare = (a: string | null, b: string | null) => ((a ?? '') < (b ?? '') ? -1 : Number(a !== b));

/** Gives the part of an appointment that lies on a day, in minutes by the clock; undefined if no part of it does. */
function createPartOn(date: LocalDate, timeZone: string) {
  const [dayStart, dayEnd] = [startOfDay(date, timeZone), endOfDay(date, timeZone)];
  return ({ start, end }: AppointmentSnapshot): { from: number; to: number } | undefined => {
    if (start === null) return undefined;
    const starts = new Date(start);
    const ends = new Date(end ?? starts);
    const isOnDay = starts < dayEnd && (starts >= dayStart || ends > dayStart);
    if (!isOnDay) return undefined;
    const from = starts < dayStart ? 0 : wallTime(starts, timeZone).minute;
    if (end === null) return { from, to: from + ASSUMED_MINUTES };
    const to = ends >= dayEnd ? DAY_MINUTES : wallTime(ends, timeZone).minute;
    return { from, to: Math.max(to, from + LEAST_MINUTES) };
  };
}

/** The appointments of which a part lies on the day, in order of time. */
export function placementsOf(
  appointments: Iterable<AppointmentSnapshot>,
  columns: readonly Column[],
  date: LocalDate,
  timeZone: string,
): Placement[] {
  const columnOf = new Map(columns.map(({ staffId }, column) => [staffId, column]));
  const partOf = createPartOn(date, timeZone);
  const placements: Placement[] = [];
  for (const appointment of appointments) {
    const part = partOf(appointment);
    if (part === undefined) continue;
    const column = columnOf.get(appointment.staffId?._id ?? null) ?? 0;
    placements.push({
      appointment,
      column,
      lane: 0,
      lanes: 1,
      from: part.from,
      to: Math.min(part.to, DAY_MINUTES),
    });
  }
  placements.sort(
    (a, b) =>
      a.from - b.from ||
      Number(a.appointment.status === 'canceled') - Number(b.appointment.status === 'canceled') ||
      a.column - b.column ||
      compare(a.appointment._id, b.appointment._id),
  );
  columns.forEach((_, column) => {
    spread(placements.filter((placement) => placement.column === column));
  });
  return placements;
}

/** Gives each of a column's appointments the first lane that is free when it starts. */
function spread(inOrder: readonly Placement[]): void {
  let cluster: Placement[] = [];
  let freeAt: number[] = [];
  for (const placement of inOrder) {
    if (freeAt.every((time) => time <= placement.from)) {
      cluster = [];
      freeAt = [];
    }
    const free = freeAt.findIndex((time) => time <= placement.from);
    placement.lane = free === -1 ? freeAt.length : free;
    freeAt[placement.lane] = placement.to;
    cluster.push(placement);
    for (const member of cluster) member.lanes = freeAt.length;
  }
}

/** The hours to show: a working day, wider where appointments are. `to` is exclusive. */
export function hoursOf(placements: readonly Placement[]): { from: number; to: number } {
  return {
    from: Math.min(8, ...placements.map(({ from }) => Math.floor(from / 60))),
    to: Math.max(18, ...placements.map(({ to }) => Math.ceil(to / 60))),
  };
}
