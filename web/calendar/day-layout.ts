import {
  type AppointmentSnapshot,
  endOfDay,
  type Id,
  type LocalDate,
  startOfDay,
  wallTime,
} from '@appointment-emissions/contracts';
import { freesSlot } from './status.ts';

/** A column of the day: one staff member, or the unassigned appointments. */
export interface Column {
  staffId: Id | null;
  name: string;
  role: string;
}

/** Position of an appointment on the page of a day. */
export interface Placement {
  appointment: AppointmentSnapshot;
  column: number;
  /** Overlapping appointments of a column are shown side by side, this one in `lane` (from 0) of `lanes`. */
  lane: number;
  lanes: number;
  /** The part of the appointment on this day, in minutes since midnight as a wall clock shows them. */
  from: number;
  to: number;
}

const DAY_MINUTES = 24 * 60;
const ASSUMED_MINUTES = 30;
const MIN_MINUTES = 15;

/** Returns a column for each staff member with an appointment in the list, ordered by name, so that columns stay in place. */
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

/** Returns a function that computes the part of an appointment on the day; undefined if no part is on it. */
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
    return { from, to: Math.max(to, from + MIN_MINUTES) };
  };
}

/** Returns the placements of all appointments with a part on the day, in order of time. */
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
      Number(freesSlot(a.appointment)) - Number(freesSlot(b.appointment)) ||
      a.column - b.column ||
      compare(a.appointment._id, b.appointment._id),
  );
  columns.forEach((_, column) => {
    spread(placements.filter((placement) => placement.column === column));
  });
  return placements;
}

/** Assigns to each appointment of a column the first lane that is free when it starts. */
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

/** Returns the hours to show: 8 to 18, extended to include all appointments. `to` is exclusive. */
export function hoursOf(placements: readonly Placement[]): { from: number; to: number } {
  return {
    from: Math.min(8, ...placements.map(({ from }) => Math.floor(from / 60))),
    to: Math.max(18, ...placements.map(({ to }) => Math.ceil(to / 60))),
  };
}

/** Returns the card to focus after an arrow key; undefined if there is none in that direction. */
export function cardTowards(
  key: string,
  current: Placement,
  inOrder: readonly Placement[],
  isList: boolean,
): Placement | undefined {
  const path = isList ? inOrder : inOrder.filter(({ column }) => column === current.column);
  const at = path.indexOf(current);
  switch (key) {
    case 'ArrowDown':
      return path[at + 1];
    case 'ArrowUp':
      return path[at - 1];
    case 'Home':
      return inOrder[0];
    case 'End':
      return inOrder.at(-1);
    case 'ArrowLeft':
      return isList ? undefined : sideways(current, inOrder, -1);
    case 'ArrowRight':
      return isList ? undefined : sideways(current, inOrder, 1);
    default:
      return undefined;
  }
}

/** Returns the card beside: in the same column if lanes are side by side, else the nearest in time in the next column with cards. */
function sideways(current: Placement, inOrder: readonly Placement[], step: 1 | -1): Placement | undefined {
  const place = ({ column, lane, lanes }: Placement) => column + lane / lanes;
  const beyond = inOrder.filter((other) => {
    const overlaps = other.from < current.to && current.from < other.to;
    return (other.column !== current.column || overlaps) && (place(other) - place(current)) * step > 0;
  });
  const distance = (other: Placement) => Math.abs(other.from - current.from);
  return beyond.sort((a, b) => step * (a.column - b.column) || distance(a) - distance(b))[0];
}
