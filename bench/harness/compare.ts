import { median, quantile, type Figure } from './figures.ts';
import { encodeHistogram } from './histogram.ts';

/** A quantile, with the measurements that it is of: {@link compare} keeps them, so that it can be taken over all rounds together. */
export interface SampledQuantile {
  value: number;
  histogram: string;
}

/** One of the implementations compared. `round` does the work once and resolves to its values by figure. */
export interface Contender {
  name: string;
  round: () => Promise<Record<string, number | SampledQuantile>>;
}

export const sampledQuantile = (values: readonly number[], q: number): SampledQuantile => ({
  value: quantile(values, q),
  histogram: encodeHistogram(values),
});

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
  /** By figure and contender: one for each turn. */
  const histograms = new Map<string, string[]>();
  const histogramsOf = (figure: string, contender: string): string[] => {
    const id = `${figure} ${contender}`;
    const kept = histograms.get(id) ?? [];
    histograms.set(id, kept);
    return kept;
  };
  for (let round = 0; round < rounds; round += 1) {
    const samples = contenders.map(() => new Map<string, number[]>());
    for (let turn = 0; turn < contenders.length * turns; turn += 1) {
      const at = (turn + round + Math.floor(turn / contenders.length)) % contenders.length;
      const { name, round: run } = contenders[at]!;
      for (const [figure, measured] of Object.entries(await run())) {
        const value = typeof measured === 'number' ? measured : measured.value;
        samples[at]!.set(figure, [...(samples[at]!.get(figure) ?? []), value]);
        if (typeof measured !== 'number') histogramsOf(figure, name).push(measured.histogram);
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
      .map(([contender, values]) => {
        const kept = histogramsOf(name, contender);
        return { name: contender, values, ...(kept.length > 0 && { histograms: kept }) };
      }),
  }));
}
