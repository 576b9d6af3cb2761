import { judge, median, ratioOf, spreadOf, type Figure } from '../harness/figures.ts';
import type { Result } from '../harness/results.ts';

const PROFILE_ROWS = { packages: 12, functions: 12 };

/** What must hold, and what was reached. */
export function musts(results: readonly Result[], notMeasured: readonly string[]): string {
  const rows = results.flatMap(({ musts: all, figures }) =>
    all.map((must) => {
      const figure = figures.find(({ name }) => name === must.figure)!;
      const { value, spread } = ratioOf(figure, must.side, must.against);
      const sign = must.bound === 'at least' ? '≥' : '≤';
      return [
        must.says,
        `**${digits(value)}** ± ${percent(spread)}`,
        `${sign} ${must.must}`,
        must.aim === undefined ? '' : `${sign} ${must.aim}`,
        judge(value, must),
      ];
    }),
  );
  return `${table(['what', 'ratio', 'must', 'aim', ''], rows)}\n\n${missing(notMeasured)}`;
}

/** All figures, ratios first. */
export function numbers(results: readonly Result[]): string {
  return results
    .flatMap(({ title, figures, facts = {} }) => [
      `### ${title}`,
      ...figures.map(figureTable),
      ...Object.entries(facts).map(([what, value]) => `${what}: ${digits(value)}`),
    ])
    .join('\n\n');
}

function figureTable({ name, sides }: Figure): string {
  const [base] = sides;
  const rows = sides.map((side) => {
    const { value, spread } = ratioOf({ name, sides }, side.name, base!.name);
    const ratio = side === base ? '1.00' : `${digits(value)} ± ${percent(spread)}`;
    return [side.name, ratio, `${digits(median(side.values))} ± ${percent(spreadOf(side.values))}`];
  });
  return table([name, 'ratio', 'median'], rows);
}

/** Self time of each process, by package and by function. */
export function profiles(results: readonly Result[]): string {
  return results
    .flatMap(({ profiles: all = {} }) => Object.entries(all))
    .flatMap(([name, { busy, byPackage, byFunction }]) => {
      const packages = byPackage.slice(0, PROFILE_ROWS.packages);
      const functions = byFunction.slice(0, PROFILE_ROWS.functions);
      const rows = packages.map((row, index) => {
        const other = functions[index];
        return [row.what, percent(row.share), other?.what ?? '', other ? percent(other.share) : ''];
      });
      return [
        `### ${name[0]!.toUpperCase()}${name.slice(1)}`,
        `Busy ${percent(busy)} of the time.`,
        table(['package or folder', 'self time', 'function', 'self time'], rows),
      ];
    })
    .join('\n\n');
}

/** When and on what each scenario ran. */
export function runs(results: readonly Result[], notMeasured: readonly string[]): string {
  const rows = results.map((result) => [
    result.scenario,
    `\`${result.commit}\``,
    result.measuredAt.slice(0, 16).replace('T', ' '),
    String(result.rounds),
    result.takenByOthers === undefined ? '' : percent(result.takenByOthers),
  ]);
  const machines = new Set(results.map(({ machine, versions }) => list({ ...machine, ...versions })));
  const ran = table(['scenario', 'commit', 'UTC', 'rounds', 'CPU taken by others'], rows);
  return [...machines, ran, missing(notMeasured)].join('\n\n');
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
