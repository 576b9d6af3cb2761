import { judge, median, ratioOf, spreadOf, type Figure } from '../harness/figures.ts';
import type { Result } from '../harness/results.ts';

const PROFILE_ROWS = { packages: 12, functions: 12 };

/** The thresholds and the measured ratios. */
export function thresholds(results: readonly Result[], notMeasured: readonly string[]): string {
  const rows = results.flatMap(({ thresholds: all, figures }) =>
    all.map((threshold) => {
      const figure = figures.find(({ name }) => name === threshold.figure)!;
      const { value, spread } = ratioOf(figure, threshold.contender, threshold.baseline);
      const sign = threshold.bound === 'at least' ? '≥' : '≤';
      return [
        threshold.claim,
        `**${digits(value)}** ± ${percent(spread)}`,
        `${sign} ${threshold.threshold}`,
        threshold.target === undefined ? '' : `${sign} ${threshold.target}`,
        judge(value, threshold),
      ];
    }),
  );
  return `${table(['comparison', 'ratio', 'threshold', 'target', 'result'], rows)}\n\n${missing(notMeasured)}`;
}

/** All figures of each scenario, ratios first. */
export function numbers(results: readonly Result[]): string {
  return results
    .flatMap(({ title, figures, facts = {} }) => [
      `### ${title}`,
      ...figures.map(figureTable),
      ...Object.entries(facts).map(([what, value]) => `${what}: ${digits(value)}`),
    ])
    .join('\n\n');
}

function figureTable({ name, contenders }: Figure): string {
  const [base] = contenders;
  const rows = contenders.map((contender) => {
    const { value, spread } = ratioOf({ name, contenders }, contender.name, base!.name);
    const ratio = contender === base ? '1.00' : `${digits(value)} ± ${percent(spread)}`;
    return [
      contender.name,
      ratio,
      `${digits(median(contender.values))} ± ${percent(spreadOf(contender.values))}`,
    ];
  });
  return table([name, 'ratio', 'median'], rows);
}

/** The self time of each process, by package and by function. */
export function profiles(results: readonly Result[]): string {
  return results
    .flatMap(({ profiles: all = {} }) => Object.entries(all))
    .flatMap(([name, { busy, byPackage, byFunction }]) => {
      const packages = byPackage.slice(0, PROFILE_ROWS.packages);
      const functions = byFunction.slice(0, PROFILE_ROWS.functions);
      const rows = packages.map((row, index) => {
        const fn = functions[index];
        return [row.what, percent(row.share), fn?.what ?? '', fn ? percent(fn.share) : ''];
      });
      return [
        `### ${name[0]!.toUpperCase()}${name.slice(1)}`,
        `Busy ${percent(busy)} of the time.`,
        table(['package or folder', 'self time', 'function', 'self time'], rows),
      ];
    })
    .join('\n\n');
}

/** When each scenario ran, on which machine and versions. */
export function runs(results: readonly Result[], notMeasured: readonly string[]): string {
  const rows = results.map((result) => [
    result.scenario,
    `\`${result.commit}\``,
    result.measuredAt.slice(0, 16).replace('T', ' '),
    String(result.rounds),
    result.otherCpuShare === undefined ? '' : percent(result.otherCpuShare),
  ]);
  const machines = new Set(results.map(({ machine, versions }) => list({ ...machine, ...versions })));
  const runsTable = table(['scenario', 'commit', 'UTC', 'rounds', 'CPU used by other processes'], rows);
  return [...machines, runsTable, missing(notMeasured)].join('\n\n');
}

function missing(scenarios: readonly string[]): string {
  return scenarios.length > 0 ? `Not measured: ${scenarios.join(', ')}.` : '';
}

function list(facts: Record<string, string>): string {
  return Object.entries(facts)
    .map(([name, value]) => `- ${name}: ${value}`)
    .join('\n');
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function digits(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  const value = share * 100;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}%`;
}
