import { addDays, endOfDay, startOfDay, wallTime } from '@appointment-emissions/contracts';
import { readArguments, SLOT_MINUTES, type ToolDefinition } from '@appointment-emissions/bot';
import type { CustomerCalendar, Choices, FreePeriod } from './calendar.ts';
import { localMoment } from './local-words.ts';
import { choicesInWords, readableChoices, slotsInWords, staffInWords, summary } from './slots-in-words.ts';

/** A start is offered at each multiple of this many minutes of the local time, and at the beginning of a free period. */
const OFFER_EVERY_MINUTES = 30;
const MAX_OFFERED = 60;
const DEFAULT_DAYS = 7;
const DEFAULT_MINUTES = 60;
const MINUTE_MS = 60_000;

export const FIND_FREE_SLOTS: ToolDefinition<'find_free_slots'> = {
  name: 'find_free_slots',
  description:
    "Finds free times. Also returns the ids that the other tools take: of the customer's pets and appointments, of services " +
    'with their variants, and of staff members. Call it before the other tools.',
  input_schema: {
    type: 'object',
    properties: {
      date: {
        type: 'string',
        description: 'First day of the search, as a date of the calendar. Default: today.',
        format: 'date',
        examples: ['2031-05-14'],
      },
      days: {
        type: 'integer',
        description: `Number of days to search. Default: ${DEFAULT_DAYS}.`,
        minimum: 1,
        maximum: 14,
        examples: [DEFAULT_DAYS],
      },
      durationMinutes: {
        type: 'integer',
        description: `Duration of the appointment in minutes. Default: ${DEFAULT_MINUTES}.`,
        minimum: SLOT_MINUTES,
        maximum: 480,
        multipleOf: SLOT_MINUTES,
        examples: [DEFAULT_MINUTES],
      },
      staffId: {
        type: 'string',
        description:
          'Id of a staff member: 24 hexadecimal characters, as returned by this tool. Default: all.',
        pattern: '^[0-9a-fA-F]{24}$',
        examples: ['65f1a2b3c4d5e6f708192a3b'],
      },
    },
    required: [],
    additionalProperties: false,
  },
};

/** A time that can be booked. `start` and `end` are ISO 8601 with the local offset, as `book_appointment` takes them. */
export interface FreeSlot {
  staffId: string;
  start: string;
  end: string;
}

/** Result of `find_free_slots`. `words` says the same for a person. */
export type FoundSlots =
  | { ok: false; message: string }
  | ({ ok: true; message: string; words: string; slots: FreeSlot[] } & Choices);

interface Search {
  date: string;
  days: number;
  durationMinutes: number;
  staffId: string | undefined;
}

/** Creates the tool `find_free_slots`. @throws (rejects) if the calendar does */
export function createFindFreeSlots({
  calendar,
  timeZone,
  now,
}: {
  calendar: Pick<CustomerCalendar, 'choices' | 'freePeriods'>;
  timeZone: string;
  now: () => Date;
}) {
  return async function findFreeSlots(args: unknown): Promise<FoundSlots> {
    const today = wallTime(now(), timeZone).date;
    const search = readSearch(args, today);
    if (typeof search === 'string') return refuse(search);

    const choices = readableChoices(await calendar.choices());
    const { date, days, durationMinutes, staffId } = search;
    if (staffId !== undefined && !choices.staff.some((person) => person.staffId === staffId))
      return refuse(`there is no staff member with this staffId. ${staffInWords(choices)}`);
    const lastDate = addDays(date, days - 1);
    const from = new Date(Math.max(startOfDay(date, timeZone).getTime(), now().getTime() + 1));
    const to = endOfDay(lastDate, timeZone);
    const periods = await calendar.freePeriods({ from, to, staffId });

    const starts = offeredStarts(periods, { from, to, durationMinutes, timeZone });
    const offered = starts.slice(0, MAX_OFFERED);
    const slots = offered.map(({ staffId: of, start }) => ({
      staffId: of,
      start: localMoment(start, timeZone).iso,
      end: localMoment(new Date(start.getTime() + durationMinutes * MINUTE_MS), timeZone).iso,
    }));
    const isCut = starts.length > offered.length;
    const message = summary({ date, lastDate, durationMinutes, timeZone, slots, isCut });
    const words = [message, ...slotsInWords(slots, choices), ...choicesInWords(choices, timeZone)].join('\n');
    return { ok: true, message, words, slots, ...choices };
  };
}

/** @returns the problem, as a text, if the arguments are not valid */
function readSearch(args: unknown, today: string): Search | string {
  const read = readArguments(FIND_FREE_SLOTS, args);
  if ('problems' in read) return read.problems.join(' ');
  const { date = today, days = DEFAULT_DAYS, durationMinutes = DEFAULT_MINUTES, staffId } = read.values;
  if (String(date) < today) return `date must not be in the past; today is "${today}".`;
  return {
    date: String(date),
    days: Number(days),
    durationMinutes: Number(durationMinutes),
    staffId: staffId === undefined ? undefined : String(staffId).toLowerCase(),
  };
}

function refuse(problem: string): FoundSlots {
  return { ok: false, message: `Nothing was searched: ${problem}` };
}

/** The starts within the free periods at which an appointment of the given length fits, by time and staff member. */
function offeredStarts(
  periods: readonly FreePeriod[],
  {
    from,
    to,
    durationMinutes,
    timeZone,
  }: { from: Date; to: Date; durationMinutes: number; timeZone: string },
): { staffId: string; start: Date }[] {
  const slotMs = SLOT_MINUTES * MINUTE_MS;
  const starts = periods.flatMap(({ staffId, start, end }) => {
    const first = Math.ceil(Math.max(start.getTime(), from.getTime()) / slotMs) * slotMs;
    const last = Math.min(end.getTime(), to.getTime()) - durationMinutes * MINUTE_MS;
    const found: { staffId: string; start: Date }[] = [];
    for (let at = first; at <= last; at = nextOffer(at, timeZone))
      found.push({ staffId, start: new Date(at) });
    return found;
  });
  return starts.sort((a, b) => a.start.getTime() - b.start.getTime() || (a.staffId < b.staffId ? -1 : 1));
}

function nextOffer(at: number, timeZone: string): number {
  const { minute } = wallTime(new Date(at), timeZone);
  return at + (OFFER_EVERY_MINUTES - (minute % OFFER_EVERY_MINUTES)) * MINUTE_MS;
}
