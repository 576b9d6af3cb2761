import type { Id } from '@appointment-emissions/contracts';
import { byId, create, setChildren, setStyle, setText, userText, userTexts } from '../shared/elements.ts';
import type { Column, DaySpan, Placement } from './day-layout.ts';
import type { Fold } from './lanes.ts';
import { freesSlot } from './status.ts';
import { timeOfDay } from './wording.ts';

/** A part of a day in minutes since its start. */
export interface DayPart {
  from: number;
  to: number;
}

/** True if the day is a list by time, and not one column for each staff member. */
export function isList(): boolean {
  return getComputedStyle(byId('heads', HTMLDivElement)).display === 'none';
}

/** Draws the head and the stripe of each column. A column of overlapping appointments has room for its lanes. */
export function drawColumns(columns: readonly Column[], placements: readonly Placement[]): void {
  const placedIn = columns.map((_, column) => placements.filter((placement) => placement.column === column));
  const minWidths = placedIn.map((placed) => {
    return `max(var(--column), ${Math.max(1, ...placed.map(({ lanes }) => lanes))} * var(--lane))`;
  });
  setStyle(byId('day', HTMLElement), {
    '--template': minWidths.map((width) => `minmax(${width}, 1fr)`).join(' ') || '1fr',
    '--columns-width': `calc(${minWidths.join(' + ') || '0rem'})`,
  });
  setChildren(
    byId('heads', HTMLDivElement),
    columns.map((column, n) => createHead(column, placedIn[n] ?? [])),
  );
  setChildren(
    byId('columns', HTMLDivElement),
    columns.map(() => create('div')),
  );
}

function createHead({ name, role, tone }: Column, placed: readonly Placement[]): HTMLElement {
  const head = create('div', 'head');
  head.dataset.tone = String(tone);
  const booked = placed.filter(({ appointment }) => !freesSlot(appointment)).length;
  const [who, what] = [create('strong'), create('span', 'quiet')];
  who.append(userText(name));
  what.append(...userTexts([role], ''), `${role ? ' · ' : ''}${booked} booked`);
  head.append(who, what);
  return head;
}

/** Draws the labels of the hours. On the day of a clock change an hour is missing or occurs twice. */
export function drawHours({ from, to }: DayPart, day: DaySpan, timeZone: string): void {
  const labels = Array.from({ length: (to - from) / 60 }, (_, n) => {
    const minute = from + n * 60;
    const label = create('span', 'hour', timeOfDay(day.instantAt(minute), timeZone));
    setStyle(label, { '--from': minute });
    return label;
  });
  setChildren(byId('hours', HTMLDivElement), labels);
  setStyle(byId('day', HTMLElement), { '--first': from, '--last': to });
}

/**
 * Manages the "+n more" buttons, which are visible only in columns. A button keeps its element, and so the focus, while its
 * staff member and its time stay.
 */
export function createFolds(expand: (staffId: Id | null) => void) {
  let items = new Map<string, HTMLLIElement>();
  return (folds: readonly Fold[], columns: readonly Column[]): HTMLLIElement[] => {
    const before = items;
    items = new Map();
    for (const fold of folds) {
      const column = columns[fold.column];
      if (!column) continue;
      const key = `${column.staffId ?? ''} ${fold.from}`;
      const item = before.get(key) ?? createFold(column, expand);
      updateFold(item, fold, column);
      items.set(key, item);
    }
    return [...items.values()];
  };
}

function createFold({ staffId }: Column, expand: (staffId: Id | null) => void): HTMLLIElement {
  const item = create('li', 'slot fold');
  const button = create('button', 'more');
  button.type = 'button';
  button.addEventListener('click', () => {
    expand(staffId);
  });
  item.append(button);
  return item;
}

function updateFold(item: HTMLLIElement, fold: Fold, { name, tone }: Column): void {
  const button = item.querySelector('button');
  if (!button) return;
  setText(button, `+${fold.count} more`);
  button.setAttribute('aria-label', `+${fold.count} more of ${name}`);
  item.dataset.tone = String(tone);
  setStyle(item, {
    '--column-number': fold.column + 1,
    '--lane-number': fold.lane,
    '--lanes': fold.lanes,
    '--span': 1,
    '--from': fold.from,
    '--to': fold.to,
  });
}

/** True if the whole element can be seen without scrolling. */
export function isInView(element: HTMLElement): boolean {
  const box = element.getBoundingClientRect();
  const view = viewOfDay();
  return box.top >= view.top && box.bottom <= view.bottom && box.left >= view.left && box.right <= view.right;
}

/** The part of the page in which cards can be seen. */
function viewOfDay() {
  if (isList()) {
    const bar = byId('bar', HTMLElement).getBoundingClientRect();
    const dock = byId('dock', HTMLDivElement).getBoundingClientRect();
    return {
      top: Math.max(bar.bottom, 0),
      bottom: Math.min(dock.top, innerHeight),
      left: 0,
      right: innerWidth,
    };
  }
  const { top, bottom, left, right } = byId('day', HTMLElement).getBoundingClientRect();
  const [heads, hours] = [byId('heads', HTMLDivElement), byId('hours', HTMLDivElement)];
  return { top: top + heads.offsetHeight, bottom, left: left + hours.offsetWidth, right };
}
