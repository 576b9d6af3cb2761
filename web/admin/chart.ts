import type { FleetMetricsReading } from '@appointment-emissions/contracts';
import uPlot from 'uplot';

export interface Line {
  label: string;
  /** A custom property of the stylesheet. */
  color: `--${string}`;
  /** If true, the area below the line is filled. */
  area?: boolean;
}

type Values = (number | null)[];

export interface Chart {
  /** @param at times in seconds since 1970; each line has one value for each time */
  show: (at: number[], ...lines: Values[]) => void;
}

const HEIGHT_PX = 190;
const MIN_WIDTH_PX = 120;
/** Shown at least, in seconds. */
const MIN_SECONDS = 60;
/** At one sample in two seconds, half an hour. */
const MAX_SAMPLES = 900;

/** A time chart with the width of its container and the colours of the page. The legend shows the values at the cursor. */
export function createChart(container: HTMLElement, lines: readonly Line[], unit: string): Chart {
  let plot: uPlot | undefined;
  let shown: [number[], ...Values[]] = [[], ...lines.map((): Values => [])];

  function draw(): void {
    plot?.destroy();
    plot = new uPlot(plotOptions(widthOf(container), lines, unit), shown, container);
  }

  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  new ResizeObserver(() => {
    plot?.setSize({ width: widthOf(container), height: HEIGHT_PX });
  }).observe(container);
  container.setAttribute('role', 'img');
  container.setAttribute('aria-label', 'Chart without values');

  return {
    show(at, ...values) {
      shown = [at, ...values];
      plot?.setData(shown);
      const last = lines.map(({ label }, index) => `${label} ${values[index]?.at(-1) ?? 'none'}`).join(', ');
      container.setAttribute('aria-label', `Chart; last values: ${last}`);
    },
  };
}

/** Collects queue depths for a chart, since the server keeps no history of them. Starts when the page is opened. */
export function createBacklog(chart: Chart) {
  const at: number[] = [];
  const lines: [number[], number[], number[], number[]] = [[], [], [], []];
  return ({ at: now, queue: { byQueue } }: FleetMetricsReading): void => {
    const seconds = Date.parse(now) / 1_000;
    if (seconds <= (at.at(-1) ?? 0)) return;
    const { live, bulk } = byQueue;
    at.push(seconds);
    [live.waiting, bulk.waiting, live.delayed, bulk.delayed].forEach((n, line) => lines[line]?.push(n));
    for (const values of [at, ...lines]) if (values.length > MAX_SAMPLES) values.shift();
    chart.show(at, ...lines);
  };
}

function widthOf(container: HTMLElement): number {
  return Math.max(container.clientWidth, MIN_WIDTH_PX);
}

function plotOptions(width: number, lines: readonly Line[], unit: string): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const formatValue = (value: number | null) => (value === null ? '–' : `${readable(value)}${unit}`);
  const axis = {
    stroke: color('--quiet'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: color('--line-soft'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT_PX,
    scales: {
      // From the data: uPlot makes a range of a day around a single value, and none without values.
      x: {
        range: ({ data: [at] }) => {
          const first = at[0] ?? Date.now() / 1_000;
          return [first, Math.max(at.at(-1) ?? first, first + MIN_SECONDS)];
        },
      },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      { ...axis, space: 70, size: 24, values: (_plot, ticks) => ticks.map(clock) },
      {
        ...axis,
        size: 44,
        incrs: WHOLE_INCREMENTS,
        values: (_plot, ticks) => ticks.map((tick) => tick.toLocaleString('en')),
      },
    ],
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    legend: { live: true },
    series: [
      {
        label: 'at',
        value: (plot, seconds: number | null) => clock(seconds ?? plot.data[0].at(-1) ?? null),
      },
      ...lines.map((line): uPlot.Series => ({
        label: line.label,
        stroke: color(line.color),
        width: 1.75,
        ...(line.area && { fill: `color-mix(in srgb, ${color(line.color)} 14%, transparent)` }),
        points: { size: 4, filter: isolatedValues },
        // Without a cursor, the legend shows the last value.
        value: (plot, value: number | null, index, at) =>
          formatValue(at === null ? (plot.data[index]?.at(-1) ?? null) : value),
      })),
    ],
  };
}

/** Distances between the values on an axis: 1, 2, 5, 10 and so on, since there is no half of an emission. */
const WHOLE_INCREMENTS = Array.from({ length: 10 }, (_, n) => 10 ** n).flatMap((n) => [n, 2 * n, 5 * n]);

/** Values between two gaps have no line and are drawn as points. */
const isolatedValues: uPlot.Series.Points.Filter = (plot, line) => {
  const values = plot.data[line] ?? [];
  return Array.from(values.keys()).filter(
    (index) => values[index] != null && values[index - 1] == null && values[index + 1] == null,
  );
};

const SHORT = { hour: '2-digit', minute: '2-digit' } as const;
const LONG = { ...SHORT, second: '2-digit' } as const;

function clock(seconds: number | null): string {
  if (seconds === null) return '–';
  return new Date(seconds * 1_000).toLocaleTimeString('en-GB', seconds % 60 === 0 ? SHORT : LONG);
}

function readable(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: value < 1_000 ? 3 : 6 });
}
