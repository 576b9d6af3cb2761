import type { Id } from '@appointment-emissions/contracts';
import type { Card } from './card.ts';

const SLIDE_MS = 400;

/** Records the positions of the cards. Returns a function that animates each card that has moved since. */
export function slideFrom(cards: ReadonlyMap<Id, Card>): (() => void) | undefined {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches || document.hidden) return undefined;
  const before = [...cards.values()].map(
    (card) => [card, card.item.offsetLeft, card.item.offsetTop] as const,
  );
  return () => {
    for (const [{ item }, left, top] of before) {
      const [x, y] = [left - item.offsetLeft, top - item.offsetTop];
      if (!item.isConnected || (x === 0 && y === 0)) continue;
      item.animate([{ translate: `${x}px ${y}px` }, { translate: '0 0' }], {
        duration: SLIDE_MS,
        easing: 'ease-out',
      });
    }
  };
}
