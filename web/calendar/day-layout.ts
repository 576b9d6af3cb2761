import {
  type AppointmentSnapshot,
  endOfDay,
  type Id,
  instantAtOrAfter,
  type LocalDate,
  startOfDay,
} from '@appointment-emissions/contracts';
import { assignLanes, type Fold, MAX_LANES } from './lanes.ts';
import { freesSlot } from './status.ts';

/** A column of the day: one staff member, or the unassigned appointments. */
export interface Column {
  staffId: Id | null;
  name: string;
  role: string;
  /** Number of the colour, from 0 to {@link TONES} - 1. */
  tone: number;
}

/** Position of an appointment on the page of a day. */
export interface Placement {
  appointment: AppointmentSnapshot;
  column: number;
  /** Overlapping appointments of a column are shown side by side: this one in `lane` (from 0) and the next `span - 1` of `lanes`. */
  lane: number;
  lanes: number;
  span: number;
  /** True if a "+n more" button replaces it, because too many appointments overlap. */
  isFolded: boolean;
  /** The part of the appointment on this day, in minutes that have passed since the start of the day. */
  from: number;
  to: number;
  /** True if the appointment began on an earlier day, or goes on after this one. */
  beganBefore: boolean;
  goesOn: boolean;
}

/** The appointments of a day and the "+n more" buttons. */
export interface DayLayout {
  placements: Placement[];
  folds: Fold[];
}

/** A local date as an interval. Its length is not 24 hours if the clocks change on it. */
export interface DaySpan {
  start: Date;
  end: Date;
  minutes: number;
  /** Minutes that have passed since the start of the day. */
  minuteAt: (instant: Date) => number;
  instantAt: (minute: number) => Date;
}

/** Number of colours of staff members. */
export const TONES = 12;
const ASSUMED_MINUTES = 30;
const MIN_MINUTES = 15;
const MINUTE_MS = 60_000;
const WORKING_HOURS = { from: 8, to: 18 };

export function spanOfDay(date: LocalDate, timeZone: string): DaySpan {
  const [start, end] = [startOfDay(date, timeZone), endOfDay(date, timeZone)];
  const minuteAt = (instant: Date) => Math.floor((instant.getTime() - start.getTime()) / MINUTE_MS);
  return {
    start,
    end,
    minutes: Math.ceil((end.getTime() - start.getTime()) / MINUTE_MS),
    minuteAt,
    instantAt: (minute) => new Date(start.getTime() + minute * MINUTE_MS),
  };
}

/** Returns a column for each staff member with an appointment in the list, ordered by name, so that columns stay in place. */
export function columnsOf(appointments: Iterable<AppointmentSnapshot>): Column[] {
  const byId = new Map<Id | null, Column>();
  for (const { staffId } of appointments) {
    const name = staffId?.fullName ?? (staffId ? 'Unnamed' : 'Not assigned');
    byId.set(staffId?._id ?? null, {
      staffId: staffId?._id ?? null,
      name,
      role: staffId?.role ?? '',
      tone: 0,
    });
  }
  const columns = [...byId.values()];
  assignTones(columns);
  return columns.sort(
    (a, b) =>
      Number(a.staffId === null) - Number(b.staffId === null) ||
      compare(a.name, b.name) ||
      compare(a.staffId, b.staffId),
  );
}

const compare = (a: string | null, b: string | null) => ((a ?? '') < (b ?? '') ? -1 : Number(a !== b));

/**
 * A staff member's colour depends on their id. If two have the same, the one with the later id gets the next free colour: ids are
 * assigned in order of time, so that a new staff member does not change the colours of the others.
 */
function assignTones(columns: readonly Column[]): void {
  const used = new Set<number>();
  for (const column of [...columns].sort((a, b) => compare(a.staffId, b.staffId))) {
    let tone = hash(column.staffId ?? '') % TONES;
    for (let tries = 1; used.has(tone) && tries < TONES; tries += 1) tone = (tone + 1) % TONES;
    used.add(tone);
    column.tone = tone;
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return value;
}

/** Returns a function that computes the part of an appointment on the day; undefined if no part is on it. */
function createPartOn(day: DaySpan) {
  return ({ start, end }: AppointmentSnapshot) => {
    if (start === null) return undefined;
    const starts = new Date(start);
    const ends = new Date(end ?? starts);
    const isOnDay = starts < day.end && (starts >= day.start || ends > day.start);
    if (!isOnDay) return undefined;
    const from = Math.max(day.minuteAt(starts), 0);
    const to = end === null ? from + ASSUMED_MINUTES : Math.max(day.minuteAt(ends), from + MIN_MINUTES);
    return {
      from,
      to: Math.min(to, day.minutes),
      beganBefore: starts < day.start,
      goesOn: ends > day.end,
    };
  };
}

/**
 * Places all appointments with a part on the day, in order of time.
 * @param expanded the staff members whose overlapping appointments are all shown
 */
export function layOut(
  appointments: Iterable<AppointmentSnapshot>,
  columns: readonly Column[],
  day: DaySpan,
  expanded: ReadonlySet<Id | null> = new Set(),
): DayLayout {
  const columnOf = new Map(columns.map(({ staffId }, column) => [staffId, column]));
  const partOf = createPartOn(day);
  const placements: Placement[] = [];
  for (const appointment of appointments) {
    const part = partOf(appointment);
    if (part === undefined) continue;
    const column = columnOf.get(appointment.staffId?._id ?? null) ?? 0;
    placements.push({ appointment, column, lane: 0, lanes: 1, span: 1, isFolded: false, ...part });
  }
  placements.sort(
    (a, b) =>
      a.from - b.from ||
      Number(freesSlot(a.appointment)) - Number(freesSlot(b.appointment)) ||
      a.column - b.column ||
      compare(a.appointment._id, b.appointment._id),
  );
  const folds = columns.flatMap(({ staffId }, column) =>
    assignLanes(
      placements.filter((placement) => placement.column === column),
      expanded.has(staffId) ? Infinity : MAX_LANES,
    ),
  );
  return { placements, folds };
}

/** Returns the part of the day to show, in minutes since its start: 8:00 to 18:00, extended by full hours to all appointments. */
export function shownPart(
  placements: readonly Placement[],
  date: LocalDate,
  timeZone: string,
): { from: number; to: number } {
  const day = spanOfDay(date, timeZone);
  const minuteOf = (hour: number) => day.minuteAt(instantAtOrAfter(date, hour * 60, timeZone));
  const floor = (minute: number) => Math.floor(minute / 60) * 60;
  const from = Math.min(minuteOf(WORKING_HOURS.from), ...placements.map((placement) => placement.from));
  const to = Math.max(minuteOf(WORKING_HOURS.to), ...placements.map((placement) => placement.to));
  return { from: floor(from), to: -floor(-to) };
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
