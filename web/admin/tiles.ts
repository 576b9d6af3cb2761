import type { FleetMetricsReading, FleetProcess } from '@appointment-emissions/contracts';
import { create, setText } from '../shared/elements.ts';
import { count, duration, percent } from './format.ts';

interface Tile {
  label: string;
  value: string;
  note: string;
}

function tilesOf({ overall, latencyMs, queue, fleet }: FleetMetricsReading): Tile[] {
  const { total, browser } = latencyMs;
  const { gateway, worker } = fleet.processes;
  return [
    { label: 'Published', value: count(overall['1m'].published), note: 'in the last minute' },
    { label: 'Success rate', value: percent(overall['5m'].successRate), note: 'in the last 5 min' },
    {
      label: 'Failed',
      value: count(overall['1h'].failed),
      note: `in the last hour; ${count(queue.failed)} kept`,
    },
    {
      label: 'POST → published',
      value: duration(total['5m'].p50),
      note: `p99 ${duration(total['5m'].p99)}, 5 min`,
    },
    {
      label: 'POST → screen',
      value: duration(browser['5m'].p50),
      note: `p99 ${duration(browser['5m'].p99)}, 5 min`,
    },
    { label: 'Live waiting', value: count(queue.waiting), note: noteOf(queue, 'live') },
    { label: 'Bulk waiting', value: count(queue.prioritized), note: noteOf(queue, 'bulk') },
    { label: 'Workers', value: count(worker.length), note: latest('last progress', worker) },
    { label: 'Gateways', value: count(gateway.length), note: latest('last canary', gateway) },
    {
      label: 'Dashboards',
      value: count(fleet.sockets),
      note: `of ${count(fleet.companies)} ${fleet.companies === 1 ? 'company' : 'companies'}`,
    },
  ];
}

function noteOf(queue: FleetMetricsReading['queue'], name: 'live' | 'bulk'): string {
  const { paused, concurrency, rateLimit } = queue.states[name];
  const age = oldest(name === 'live' ? queue.oldestLiveWaitingAgeMs : queue.oldestBulkWaitingAgeMs);
  if (paused) return `paused; ${age}`;
  return concurrency === null && rateLimit === null ? age : `limited; ${age}`;
}

const oldest = (ageMs: number | null): string =>
  ageMs === null ? 'no waiting jobs' : `oldest ${duration(ageMs)}`;

/** Describes how long ago any of the processes made progress. */
function latest(what: string, processes: readonly FleetProcess[]): string {
  const since = processes.flatMap(({ sinceProgressMs }) => sinceProgressMs ?? []);
  if (since.length > 0) return `${what} ${duration(Math.min(...since))} ago`;
  return processes.length > 0 ? 'progress not monitored' : 'no heartbeat';
}

/** Updates the tiles with the current metrics. */
export function createTiles(list: HTMLElement) {
  let shown: { label: HTMLElement; value: HTMLElement; note: HTMLElement }[] = [];
  return (metrics: FleetMetricsReading): void => {
    const tiles = tilesOf(metrics);
    if (shown.length === 0) {
      shown = tiles.map(() => {
        const [label, value, note] = [create('dt'), create('dd', 'value'), create('dd', 'quiet')];
        const tile = create('div');
        tile.append(label, value, note);
        list.append(tile);
        return { label, value, note };
      });
    }
    tiles.forEach((tile, index) => {
      const elements = shown[index];
      if (!elements) return;
      setText(elements.label, tile.label);
      setText(elements.value, tile.value);
      setText(elements.note, tile.note);
    });
  };
}
