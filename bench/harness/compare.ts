import { median, type Figure } from './figures.ts';

/** One of the implementations compared. `round` does the work once and resolves to its values by figure. */
export interface Contender {
  name: string;
  round: () => Promise<Record<string, number>>;
}

/**
 * Runs the contenders one after another for `rounds` rounds. The order changes with each round, so a machine that slows
 * down during the run affects all of them equally. Ratios are taken within a round; absolute values mean little.
 * @param turns  how often each contender runs within one round, for short work; the round's value is their median
 */
export async function compare(
  contenders: readonly Contender[],
  rounds: number,
  turns = 1,
): Promise<Figure[]> {
  const figures = new Map<string, Map<string, number[]>>();
  for (let round = 0; round < rounds; round += 1) {
    const samples = contenders.map(() => new Map<string, number[]>());
    for (let turn = 0; turn < contenders.length * turns; turn += 1) {
      const at = (turn + round + Math.floor(turn / contenders.length)) % contenders.length;
      for (const [figure, value] of Object.entries(await contenders[at]!.round())) {
        samples[at]!.set(figure, [...(samples[at]!.get(figure) ?? []), value]);
      }
    }
    for (const [i, { name }] of contenders.entries()) {
      const measures = [...samples[i]!].map(([figure, values]) => [figure, median(values)] as const);
      for (const [figure, value] of measures) {
        const byContender =
          figures.get(figure) ?? new Map(contenders.map((contender) => [contender.name, []]));
        byContender.get(name)!.push(value);
        figures.set(figure, byContender);
      }
      const summary = measures.map(([figure, value]) => `${figure} ${value.toPrecision(4)}`).join('; ');
      process.stderr.write(`  round ${round + 1}/${rounds} ${name}: ${summary}\n`);
    }
  }
  return [...figures].map(([name, byContender]) => ({
    name,
    contenders: [...byContender]
      .filter(([, values]) => values.length === rounds)
      .map(([contender, values]) => ({ name: contender, values })),
  }));
}
