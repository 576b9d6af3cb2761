import {
  median,
  ratioOf,
  thresholdRatioOf,
  verdictOf,
  type Figure,
  type ThresholdRatio,
} from '../harness/figures.ts';
import type { Result } from '../harness/results.ts';
import { EXPRESS_CENTRIFUGO } from '../scenario.ts';

const FOLLOWED_OVER_RATES = [EXPRESS_CENTRIFUGO, 'ours'];

/** The thresholds and the measured ratios. */
export function thresholds(results: readonly Result[], notMeasured: readonly string[]): string {
  const rows = results.flatMap(({ thresholds: all, figures }) =>
    all.map((threshold) => {
      const ratio = thresholdRatioOf(figures, threshold);
      const sign = threshold.bound === 'at least' ? '≥' : '≤';
      const [what = '', baseline = threshold.baseline] = threshold.claim.split(', relative to ');
      return [
        what,
        baseline,
        ratio ? `**${digits(ratio.value)}**${spreadText(ratio)}` : '',
        `${sign}${threshold.threshold}`,
        threshold.target === undefined ? '' : `${sign}${threshold.target}`,
        ratio ? verdictOf(ratio.value, threshold) : 'not measured',
      ];
    }),
  );
  return `${table(['what', 'relative to', 'ratio', 'threshold', 'target', 'result'], rows)}\n\n${missing(notMeasured)}`;
}

/** The figures of each scenario: medians, and the ratio to the first contender. */
export function numbers(results: readonly Result[]): string {
  return results
    .flatMap(({ title, figures, facts = {} }) => [
      `### ${title}`,
      ...groupBy(figures, ({ contenders }) => contenders.map(({ name }) => name).join('|')).map(figureTable),
      Object.entries(facts)
        .map(([what, value]) => `**${what}** – ${digits(value)}`)
        .join('; '),
    ])
    .join('\n\n');
}

/** One row for each rate and contender that the page follows over the rates, and one column for each figure. */
export function rates(results: readonly Result[]): string {
  const [first] = results;
  if (!first) return '';
  const rows = results.flatMap(({ title, figures }) =>
    FOLLOWED_OVER_RATES.filter((name) =>
      figures[0]!.contenders.some((contender) => contender.name === name),
    ).map((name) => [
      title.split(' at ').at(-1)!,
      name,
      ...figures.map((figure) =>
        figureCell(
          figure,
          figure.contenders.find((contender) => contender.name === name)!,
        ),
      ),
    ]),
  );
  return table(['', '', ...first.figures.map(({ name }) => name)], rows);
}

/** One row for each figure, one column for each contender; a single figure is a line. All figures have the same contenders. */
function figureTable(figures: readonly Figure[]): string {
  const [first] = figures;
  if (first && figures.length === 1) {
    const cells = first.contenders.map((contender) => `${contender.name}: ${figureCell(first, contender)}`);
    return `**${first.name}** – ${cells.join('; ')}`;
  }
  const names = figures[0]!.contenders.map(({ name }) => name);
  const rows = figures.map((figure) => [
    figure.name,
    ...figure.contenders.map((contender) => figureCell(figure, contender)),
  ]);
  return table(['median (ratio)', ...names], rows);
}

/** The median, and for all but the first contender the ratio to the first. */
function figureCell(figure: Figure, { name, values }: Figure['contenders'][number]): string {
  const baseline = figure.contenders[0]!.name;
  if (name === baseline) return digits(median(values));
  const { value, spread } = ratioOf(figure, name, baseline);
  return `${digits(median(values))} (${digits(value)}±${percent(spread)})`;
}

/** When the scenarios ran, and on which machines and versions. */
export function runs(results: readonly Result[], notMeasured: readonly string[]): string {
  const rows = groupBy(results, ({ commit, measuredAt, rounds }) =>
    [commit, measuredAt.slice(0, 10), rounds].join('|'),
  ).map((group) => {
    const [{ commit, measuredAt, rounds }] = group as [Result];
    const otherCpuShares = group.flatMap(({ otherCpuShare }) => otherCpuShare ?? []);
    return [
      group.map(({ scenario }) => scenario).join(', '),
      `\`${commit}\``,
      measuredAt.slice(0, 10),
      String(rounds),
      otherCpuShares.length > 0 ? percent(Math.max(...otherCpuShares)) : '',
    ];
  });
  const runsTable = table(['scenarios', 'commit', 'day', 'rounds', 'CPU used by other processes'], rows);
  return [machinesOf(results), runsTable, missing(notMeasured)].join('\n\n');
}

/** The facts of all machines, each with its different values. */
function machinesOf(results: readonly Result[]): string {
  const values = new Map<string, Set<string>>();
  for (const { machine, versions } of results)
    for (const [name, value] of Object.entries({ ...machine, ...versions }))
      values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values].map(([name, different]) => `${name} ${[...different].join(' and ')}`).join(' · ');
}

/** Groups of elements with the same key, in the order of their first element. */
function groupBy<T>(elements: readonly T[], keyOf: (element: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const element of elements)
    groups.set(keyOf(element), [...(groups.get(keyOf(element)) ?? []), element]);
  return [...groups.values()];
}

function missing(scenarios: readonly string[]): string {
  return scenarios.length > 0 ? `Not measured: ${scenarios.join(', ')}.` : '';
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function spreadText({ spread }: ThresholdRatio): string {
  return spread === undefined ? '' : `±${percent(spread)}`;
}

function digits(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  const value = share * 100;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}%`;
}
