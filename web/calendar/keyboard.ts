import type { Calendar } from './calendar.ts';
import { cardTowards } from './day-layout.ts';
import { byId } from '../shared/elements.ts';

export interface KeyboardDeps {
  calendar: Calendar;
  previousDay: () => void;
  nextDay: () => void;
  today: () => void;
}

/** Handles the keyboard: arrow keys move between cards, letters between days. */
export function listenToKeys({ calendar, previousDay, nextDay, today }: KeyboardDeps): void {
  const days: Record<string, () => void> = { p: previousDay, n: nextDay, t: today };

  byId('cards', HTMLUListElement).addEventListener('keydown', (press) => {
    const current = calendar.cards.find(({ button }) => button === press.target);
    if (!current || press.altKey || press.ctrlKey || press.metaKey) return;
    const placements = calendar.cards.map(({ placement }) => placement);
    const isList = getComputedStyle(byId('heads', HTMLDivElement)).display === 'none';
    const towards = cardTowards(press.key, current.placement, placements, isList);
    const card = calendar.cards.find(({ placement }) => placement === towards);
    if (!card) return;
    press.preventDefault();
    current.button.tabIndex = -1;
    card.button.tabIndex = 0;
    card.button.focus();
  });

  document.addEventListener('keydown', (press) => {
    if (press.altKey || press.ctrlKey || press.metaKey || press.defaultPrevented) return;
    const isTyping =
      press.target instanceof Element && press.target.closest('input, select, textarea, dialog');
    const go = days[press.key.toLowerCase()];
    if (isTyping || !go) return;
    press.preventDefault();
    go();
  });
}
