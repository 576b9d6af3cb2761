/** One of the things compared: does one round of the work and resolves to its measure. */
export interface Side {
  name: string;
  round: () => Promise<number>;
}

export interface Measured {
  name: string;
  /** One value per round. */
  values: number[];
  median: number;
  /** Half of the distance between the quartiles, as a part of the median. */
  spread: number;
  /** Median over the rounds of value ÷ the first side's value in the same round. */
  ratio: number;
}

/**
 * Runs the sides in turn, `rounds` times, each round in another order: a machine that grows slower meanwhile is slower
 * for all of them. Ratios are taken within a round; absolute values mean little.
 */
export async function sideBySide(sides: readonly Side[], rounds: number): Promise<Measured[]> {
  const values = new Map<string, number[]>(sides.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < sides.length; i += 1) {
      const side = sides[(i + round) % sides.length]!;
      const value = await side.round();
      values.get(side.name)!.push(value);
      process.stderr.write(
        `  round ${round + 1}/${rounds} ${side.name}: ${value.toFixed(value < 100 ? 2 : 0)}\n`,
      );
    }
  }
  const [first] = sides;
  const base = values.get(first!.name)!;
  return sides.map(({ name }) => {
    const own = values.get(name)!;
    return {
      name,
      values: own,
      median: median(own),
      spread: (quantile(own, 0.75) - quantile(own, 0.25)) / 2 / median(own),
      ratio: median(own.map((value, round) => value / base[round]!)),
    };
  });
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between the neighbours. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const below = sorted[low] ?? Number.NaN;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] ?? Number.NaN;
  return below + (above - below) * (at - low);
}
