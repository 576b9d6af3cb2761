import type { Calendar } from './calendar.ts';
import { cardTowards } from './day-layout.ts';
import { isList } from './grid.ts';

export interface KeyboardDeps {
  calendar: Calendar;
  previousDay: () => void;
  nextDay: () => void;
  today: () => void;
}

/** Elements that need the letters or the arrow keys themselves. */
const TYPING = 'input:not([type=radio], [type=checkbox]), select, textarea, dialog';
const USES_ARROWS = `input, select, textarea, dialog, summary, [role=log]`;
const ARROWS = ['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight'];

/** Handles the keyboard: letters move between days, arrow keys between cards, from anywhere on the page but fields and dialogs. */
export function listenToKeys({ calendar, previousDay, nextDay, today }: KeyboardDeps): void {
  const days: Record<string, () => void> = { p: previousDay, n: nextDay, t: today };

  document.addEventListener('keydown', (press) => {
    if (press.altKey || press.ctrlKey || press.metaKey || press.defaultPrevented) return;
    const isWithin = (selector: string) => press.target instanceof Element && press.target.closest(selector);
    const go = days[press.key.toLowerCase()];
    if (go && !isWithin(TYPING)) go();
    else if (isWithin(USES_ARROWS) || !moveFocus(calendar, press)) return;
    press.preventDefault();
  });
}

/** Focuses the card in the direction of an arrow key. Returns false if there is none. */
function moveFocus({ cards }: Calendar, { key, target }: KeyboardEvent): boolean {
  const current = cards.find(({ button }) => button === target);
  const next = current
    ? cards[indexTowards(key, cards, current)]
    : // In the list, arrow keys scroll the page.
      isList() || !ARROWS.includes(key)
      ? undefined
      : cards.find(({ button }) => button.tabIndex === 0);
  if (!next) return false;
  if (current) current.button.tabIndex = -1;
  next.button.tabIndex = 0;
  next.button.focus();
  return true;
}

function indexTowards(key: string, cards: Calendar['cards'], current: Calendar['cards'][number]): number {
  const placements = cards.map(({ placement }) => placement);
  const towards = cardTowards(key, current.placement, placements, isList());
  return placements.findIndex((placement) => placement === towards);
}
