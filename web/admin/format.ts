/** `0`, `7`, `1,204`, `36 k`, `1.2 M`. */
export function count(n: number): string {
  if (n < 10_000) return n.toLocaleString('en');
  const [divisor, unit] = n < 1_000_000 ? [1_000, 'k'] : [1_000_000, 'M'];
  return `${Number((n / divisor).toPrecision(3))} ${unit}`;
}

/** Formats a share as percent, `–` for null. Never rounds to 0 % or 100 %. */
export function percent(share: number | null): string {
  if (share === null) return '–';
  if (share > 0.999 && share < 1) return '> 99.9 %';
  if (share > 0 && share < 0.001) return '< 0.1 %';
  return `${Number((share * 100).toFixed(1))} %`;
}

/** Formats milliseconds as a number with three significant digits, `–` for null. */
export function ms(value: number | null): string {
  return value === null ? '–' : String(Number(value.toPrecision(value < 1_000 ? 3 : 4)));
}

/** Formats milliseconds as `340 ms`, `12 s`, `5 min`, `3 h` or `2 d`; `–` for null. */
export function duration(value: number | null): string {
  if (value === null) return '–';
  if (value < 1_000) return `${Math.round(value)} ms`;
  for (const [unit, length, next] of [
    ['s', 1_000, 120_000],
    ['min', 60_000, 7_200_000],
    ['h', 3_600_000, 172_800_000],
  ] as const) {
    if (value < next) return `${Math.round(value / length)} ${unit}`;
  }
  return `${Math.round(value / 86_400_000)} d`;
}
