import { byId } from './elements.ts';
import { dateInAddress, putDateInAddress } from './settings.ts';
import {
  addDays,
  endOfDay,
  isLocalDate,
  type LocalDate,
  startOfDay,
  wallTime,
} from '@appointment-emissions/contracts';

/** What the list is asked for: `from ≤ start < to`. */
export interface Range {
  from: Date;
  to: Date;
}

export interface DayChoiceDeps {
  timeZone: string;
  /** Another day is to be shown, or the same in another time zone. */
  onDay: () => void;
  /** The day lies outside of what was loaded: the list of `range` is needed. */
  onRange: () => void;
}

const DAYS_AROUND = 7;
/** How many days before a day the list begins, so that it has the appointments that began then and still go on. */
const DAYS_BEFORE = 14;

/** Which day is shown, the buttons that change it, and the range of days that is loaded around it. */
export function createDayChoice({ timeZone: firstZone, onDay, onRange }: DayChoiceDeps) {
  const input = byId('date', HTMLInputElement);
  let timeZone = firstZone;
  let today = wallTime(new Date(), timeZone).date;
  let date = dateInAddress() ?? today;
  let middle = date;
  let loaded: Range | undefined;
  input.value = date;

  const range = (): Range => ({
    from: startOfDay(addDays(middle, -DAYS_AROUND - DAYS_BEFORE), timeZone),
    to: endOfDay(addDays(middle, DAYS_AROUND), timeZone),
  });
  const isWithin = ({ from, to }: Range) => {
    return startOfDay(addDays(date, -DAYS_BEFORE), timeZone) >= from && endOfDay(date, timeZone) <= to;
  };

  function go(to: LocalDate): void {
    date = to;
    input.value = date;
    putDateInAddress(date === today ? undefined : date);
    const isAsked = isWithin(range());
    if (!isAsked) middle = date;
    onDay();
    if (!isAsked) onRange();
  }

  const previous = () => {
    go(addDays(date, -1));
  };
  const next = () => {
    go(addDays(date, 1));
  };
  const goToday = () => {
    go(wallTime(new Date(), timeZone).date);
  };
  byId('previous', HTMLButtonElement).addEventListener('click', previous);
  byId('next', HTMLButtonElement).addEventListener('click', next);
  byId('today', HTMLButtonElement).addEventListener('click', goToday);
  input.addEventListener('change', () => {
    if (isLocalDate(input.value)) go(input.value);
    else input.value = date;
  });

  return {
    previous,
    next,
    today: goToday,
    get date() {
      return date;
    },
    get timeZone() {
      return timeZone;
    },
    get range() {
      return range();
    },
    /** Whether all of the day's appointments are known. */
    get isLoaded() {
      return loaded !== undefined && isWithin(loaded);
    },
    loaded(range: Range): void {
      loaded = range;
    },
    setTimeZone(to: string): void {
      timeZone = to;
      today = wallTime(new Date(), timeZone).date;
      onDay();
      if (!loaded || !isWithin(loaded)) onRange();
    },
    /** Follows the clock into the next day, where today was shown. */
    tick(): void {
      const now = wallTime(new Date(), timeZone).date;
      const wasToday = date === today;
      today = now;
      if (wasToday && date !== now) go(now);
    },
  };
}
