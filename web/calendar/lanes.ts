import { freesSlot } from './status.ts';
import type { Placement } from './day-layout.ts';

/** Lanes that a column shows side by side. If more appointments overlap, the last lane is a "+n more" button. */
export const MAX_LANES = 3;

/** A "+n more" button of a column: it replaces the appointments that have no lane. */
export interface Fold {
  column: number;
  lane: number;
  lanes: number;
  from: number;
  to: number;
  count: number;
}

type Interval = Pick<Placement, 'from' | 'to'>;

/**
 * Assigns lanes to the appointments of one column. Appointments that take their time get the first lanes, canceled ones the rest.
 * @param maxLanes Infinity if the user expanded the column
 * @returns the "+n more" buttons
 */
export function assignLanes(inOrder: readonly Placement[], maxLanes: number): Fold[] {
  return overlappingGroups(inOrder).flatMap((group) => assignGroup(group, maxLanes));
}

/** Splits appointments into groups that do not overlap one another. */
function overlappingGroups<T extends Interval>(inOrder: readonly T[]): T[][] {
  const groups: T[][] = [];
  let endsAt = -Infinity;
  for (const item of inOrder) {
    if (item.from >= endsAt) groups.push([]);
    groups.at(-1)?.push(item);
    endsAt = Math.max(endsAt, item.to);
  }
  return groups;
}

function assignGroup(group: readonly Placement[], maxLanes: number): Fold[] {
  const lanes: Placement[][] = [];
  for (const placement of keptFirst(group)) {
    const free = lanes.findIndex((lane) => lane.every((other) => !overlap(other, placement)));
    placement.lane = free === -1 ? lanes.push([]) - 1 : free;
    lanes[placement.lane]?.push(placement);
  }
  const isFolded = lanes.length > maxLanes;
  const shown = isFolded ? maxLanes - 1 : lanes.length;
  for (const placement of group) {
    placement.isFolded = placement.lane >= shown;
    placement.lanes = isFolded ? maxLanes : lanes.length;
    placement.span = spanOf(placement, lanes.slice(0, shown));
  }
  const folded = group.filter((placement) => placement.isFolded);
  return overlappingGroups(folded).map((hidden) => ({
    column: hidden[0]?.column ?? 0,
    lane: shown,
    lanes: maxLanes,
    from: Math.min(...hidden.map(({ from }) => from)),
    to: Math.max(...hidden.map(({ to }) => to)),
    count: hidden.length,
  }));
}

function keptFirst(group: readonly Placement[]): Placement[] {
  return [...group].sort((a, b) => Number(freesSlot(a.appointment)) - Number(freesSlot(b.appointment)));
}

/** Number of lanes that an appointment can fill, because those beside it are empty at its time. */
function spanOf(placement: Placement, lanes: readonly (readonly Placement[])[]): number {
  const beside = lanes.slice(placement.lane + 1);
  const taken = beside.findIndex((lane) => lane.some((other) => overlap(other, placement)));
  return 1 + (taken === -1 ? beside.length : taken);
}

function overlap(a: Interval, b: Interval): boolean {
  return a.from < b.to && b.from < a.to;
}
