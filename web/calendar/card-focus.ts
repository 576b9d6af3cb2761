import type { Placement } from './day-layout.ts';

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
