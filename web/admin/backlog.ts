import type { FleetMetricsReading } from '@appointment-emissions/contracts';
import type { Chart } from './chart.ts';

const MAX_SAMPLES = 900;

/** Collects queue depths for a chart, since the server keeps no history of them. Starts when the page is opened. */
export function createBacklog(chart: Chart) {
  const at: number[] = [];
  const live: number[] = [];
  const bulk: number[] = [];
  const delayed: number[] = [];
  return ({ at: now, queue }: FleetMetricsReading): void => {
    const seconds = Date.parse(now) / 1_000;
    if (seconds <= (at.at(-1) ?? 0)) return;
    at.push(seconds);
    live.push(queue.waiting);
    bulk.push(queue.prioritized);
    delayed.push(queue.delayed);
    for (const values of [at, live, bulk, delayed]) if (values.length > MAX_SAMPLES) values.shift();
    chart.show(at, live, bulk, delayed);
  };
}
