import type { FleetMetricsReading, FleetProcess } from '@appointment-emissions/contracts';
import { create, setText } from '../calendar/elements.ts';
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
    { label: 'Published', value: count(overall['1m'].published), note: 'the last minute' },
    { label: 'Success', value: percent(overall['5m'].successRate), note: 'of what ended in 5 min' },
    { label: 'Failed', value: count(overall['1h'].failed), note: `in an hour; ${count(queue.failed)} kept` },
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
    { label: 'Workers', value: count(worker.length), note: latest('progress', worker) },
    { label: 'Gateways', value: count(gateway.length), note: latest('canary heard', gateway) },
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
  ageMs === null ? 'nothing is late' : `oldest ${duration(ageMs)}`;

/** How long ago the last of them got something done. */
function latest(what: string, processes: readonly FleetProcess[]): string {
  const since = processes.flatMap(({ sinceProgressMs }) => sinceProgressMs ?? []);
  if (since.length > 0) return `${what} ${duration(Math.min(...since))} ago`;
  return processes.length > 0 ? 'progress is not watched' : 'none is heard of';
}

/** The figures of now. */
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
      const place = shown[index];
      if (!place) return;
      setText(place.label, tile.label);
      setText(place.value, tile.value);
      setText(place.note, tile.note);
    });
  };
}
