import { median, type Figure } from './figures.ts';

/** One of the things compared: does one round of the work and resolves to its measures by figure. */
export interface Side {
  name: string;
  round: () => Promise<Record<string, number>>;
}

/**
 * Runs the sides in turn, `rounds` times, each round in another order: a machine that grows slower meanwhile is slower
 * for all of them. Ratios are taken within a round; absolute values mean little.
 * @param turns  of each side in one round, for short work; the measure of a round is their median
 */
export async function sideBySide(sides: readonly Side[], rounds: number, turns = 1): Promise<Figure[]> {
  const figures = new Map<string, Map<string, number[]>>();
  for (let round = 0; round < rounds; round += 1) {
    const taken = sides.map(() => new Map<string, number[]>());
    for (let turn = 0; turn < sides.length * turns; turn += 1) {
      const at = (turn + round + Math.floor(turn / sides.length)) % sides.length;
      for (const [figure, value] of Object.entries(await sides[at]!.round())) {
        taken[at]!.set(figure, [...(taken[at]!.get(figure) ?? []), value]);
      }
    }
    for (const [i, { name }] of sides.entries()) {
      const measures = [...taken[i]!].map(([figure, values]) => [figure, median(values)] as const);
      for (const [figure, value] of measures) {
        const bySide = figures.get(figure) ?? new Map(sides.map((side) => [side.name, []]));
        bySide.get(name)!.push(value);
        figures.set(figure, bySide);
      }
      const words = measures.map(([figure, value]) => `${figure} ${value.toPrecision(4)}`).join('; ');
      process.stderr.write(`  round ${round + 1}/${rounds} ${name}: ${words}\n`);
    }
  }
  return [...figures].map(([name, bySide]) => ({
    name,
    sides: [...bySide]
      .filter(([, values]) => values.length === rounds)
      .map(([side, values]) => ({ name: side, values })),
  }));
}
