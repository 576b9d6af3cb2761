import {
  addDays,
  endOfDay,
  isLocalDate,
  type LocalDate,
  startOfDay,
  wallTime,
} from '@appointment-emissions/contracts';
import { byId } from '../shared/elements.ts';
import { dateInAddress, type HistoryChange, putDateInAddress } from './settings.ts';

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
  let timeZone = firstZone;
  let today = wallTime(new Date(), timeZone).date;
  let date = dateInAddress() ?? today;
  const listRange = createListRange(date);

  function go(to: LocalDate, record: HistoryChange = 'push'): void {
    if (to === date) {
      onDay();
      return;
    }
    date = to;
    controls.show(date);
    if (record !== 'none') putDateInAddress(date === today ? undefined : date, record);
    const mustLoad = listRange.moveTo(date, timeZone);
    onDay();
    if (mustLoad) onRange();
  }

  const now = () => wallTime(new Date(), timeZone).date;
  const steps = createSteps(go, () => ({ date, now: now() }));
  const controls = connectControls(steps, go);
  controls.show(date);

  return {
    ...steps,
    /** Shows the day of an instant. */
    showInstant(instant: Date): void {
      go(wallTime(instant, timeZone).date);
    },
    get date() {
      return date;
    },
    get timeZone() {
      return timeZone;
    },
    get range() {
      return listRange.around(timeZone);
    },
    /** True if all appointments of the day are loaded. */
    get isLoaded() {
      return listRange.isLoaded(date, timeZone);
    },
    loaded: listRange.setLoaded,
    setTimeZone(to: string): void {
      timeZone = to;
      today = now();
      onDay();
      if (!listRange.isLoaded(date, timeZone)) onRange();
    },
    /** If today is shown, shows the next day after midnight. */
    tick(): void {
      const wasToday = date === today;
      today = now();
      if (wasToday && date !== today) go(today, 'replace');
    },
  };
}

type Go = (date: LocalDate, record?: HistoryChange) => void;

/** What the buttons and keys do, and the browser's Back and Forward. */
function createSteps(go: Go, current: () => { date: LocalDate; now: LocalDate }) {
  addEventListener('popstate', () => {
    go(dateInAddress() ?? current().now, 'none');
  });
  return {
    previous: () => {
      go(addDays(current().date, -1));
    },
    next: () => {
      go(addDays(current().date, 1));
    },
    today: () => {
      go(current().now);
    },
  };
}

/** Connects the buttons and the date field. An invalid date in the field is replaced by the shown one. */
function connectControls(steps: Record<'previous' | 'next' | 'today', () => void>, go: Go) {
  const input = byId('date', HTMLInputElement);
  let shown: LocalDate | undefined;
  for (const [id, onClick] of Object.entries(steps)) {
    byId(id, HTMLButtonElement).addEventListener('click', onClick);
  }
  input.addEventListener('change', () => {
    if (isLocalDate(input.value)) go(input.value);
    else input.value = shown ?? '';
  });
  return {
    show(date: LocalDate): void {
      shown = date;
      input.value = date;
    },
  };
}

/** The range of days that the list covers. It moves only if a day outside it is shown. */
function createListRange(firstDate: LocalDate) {
  let middle = firstDate;
  let loaded: Range | undefined;
  return {
    around: (timeZone: string) => rangeAround(middle, timeZone),
    /** Returns true if the range had to move, so that the list must be loaded. */
    moveTo(date: LocalDate, timeZone: string): boolean {
      if (covers(rangeAround(middle, timeZone), date, timeZone)) return false;
      middle = date;
      return true;
    },
    isLoaded: (date: LocalDate, timeZone: string) => loaded !== undefined && covers(loaded, date, timeZone),
    setLoaded: (range: Range) => {
      loaded = range;
    },
  };
}

/** The range to load if `middle` is shown: some days on both sides, so that the next days are loaded too. */
function rangeAround(middle: LocalDate, timeZone: string): Range {
  return {
    from: startOfDay(addDays(middle, -DAYS_AROUND - DAYS_BEFORE), timeZone),
    to: endOfDay(addDays(middle, DAYS_AROUND), timeZone),
  };
}

/** True if the range contains all appointments that are shown on the day. */
function covers({ from, to }: Range, date: LocalDate, timeZone: string): boolean {
  return startOfDay(addDays(date, -DAYS_BEFORE), timeZone) >= from && endOfDay(date, timeZone) <= to;
}
