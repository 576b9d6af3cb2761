import type { SoakResult } from './run-soak.ts';

/** Formats the result: a summary, a Markdown table of the series, the changed key counts and the verdict. */
export function report(result: SoakResult): string[] {
  const { options, lines, kinds, accepted, published, shown, visits, faults, violations } = result;
  const number = (value: number) => value.toFixed(Math.abs(value) < 10 ? 3 : 1);
  const rising = lines.filter(({ flat }) => !flat).map(({ name }) => name);
  return [
    `seed ${options.seed}, ${options.minutes} min: ${accepted} emissions accepted, ${published} published, ${shown} shown, ${visits} short-lived dashboards, ${faults} faults`,
    '',
    '| series | mean | slope per minute | verdict |',
    '| --- | --- | --- | --- |',
    ...lines.map(
      ({ name, slope: { mean, perMinute, plusMinus }, flat }) =>
        `| ${name} | ${number(mean)} | ${number(perMinute)} ± ${number(plusMinus)} | ${flat ? 'flat' : 'rises'} |`,
    ),
    '',
    ...Object.keys(kinds.late)
      .filter((kind) => kinds.late[kind] !== kinds.early[kind])
      .sort()
      .map(
        (kind) =>
          `keys ${kind}: ${kinds.early[kind] ?? 0} after the warm-up, ${kinds.late[kind] ?? 0} at the end`,
      ),
    '',
    rising.length === 0 ? 'all series are flat' : `NOT FLAT: ${rising.join('; ')}`,
    violations.length === 0 ? 'no emission lost, no screen stale' : `VIOLATIONS: ${violations.length}`,
    ...violations.slice(0, 20).map((violation) => `  ${violation}`),
  ];
}
