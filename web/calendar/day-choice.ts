import { byId } from '../shared/elements.ts';
import { dateInAddress, putDateInAddress } from './settings.ts';
import {
  addDays,
  endOfDay,
  isLocalDate,
  type LocalDate,
  startOfDay,
  wallTime,
} from '@appointment-emissions/contracts';

/** Range of the list: appointments with `from ≤ start < to`. */
export interface Range {
  from: Date;
  to: Date;
}

export interface DayChoiceDeps {
  timeZone: string;
  /** Called if the day or the time zone changes. */
  onDay: () => void;
  /** Called if the list of `range` must be loaded, because the day is outside the loaded range. */
  onRange: () => void;
}

const DAYS_AROUND = 7;
/** Number of days that the list covers before a day. It contains appointments that started on them and have not ended. */
const DAYS_BEFORE = 14;

/** Manages which day is shown, the controls that change it, and the range of days to load around it. */
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
    const isInRange = isWithin(range());
    if (!isInRange) middle = date;
    onDay();
    if (!isInRange) onRange();
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
    /** True if all appointments of the day are loaded. */
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
    /** If today is shown, shows the next day after midnight. */
    tick(): void {
      const now = wallTime(new Date(), timeZone).date;
      const wasToday = date === today;
      today = now;
      if (wasToday && date !== now) go(now);
    },
  };
}
