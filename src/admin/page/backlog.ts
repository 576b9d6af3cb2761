import type { FleetMetricsReading } from '../../contracts/index.ts';
import type { Chart } from './chart.ts';

const KEPT = 900;

/** Gathers the queue's depth: nobody keeps its past. */
export function createBacklog(chart: Chart) {
  const at: number[] = [];
  const waiting: number[] = [];
  const delayed: number[] = [];
  return ({ at: now, queue }: FleetMetricsReading): void => {
    const seconds = Date.parse(now) / 1_000;
    if (seconds <= (at.at(-1) ?? 0)) return;
    at.push(seconds);
    waiting.push(queue.waiting + queue.prioritized);
    delayed.push(queue.delayed);
    for (const values of [at, waiting, delayed]) if (values.length > KEPT) values.shift();
    chart.show(at, waiting, delayed);
  };
}
