import type { FleetMetricsReading, FleetProcess, OutcomesByEvent } from '@appointment-emissions/contracts';
import { create, setText } from '../shared/elements.ts';
import { count, duration, percent } from './format.ts';

interface Tile {
  label: string;
  value: string;
  note: string;
}

function tilesOf(metrics: FleetMetricsReading): Tile[] {
  return [
    ...tilesOfLive(metrics),
    tileOfDashboards(metrics),
    ...tilesOfBulk(metrics),
    { label: 'Found by sweep or capture', ...unannounced(metrics) },
    ...tilesOfProcesses(metrics),
  ];
}

function tilesOfLive({
  byQueue: { live },
  latencyMs: { total, browser },
  queue,
}: FleetMetricsReading): Tile[] {
  const { overall } = live;
  return [
    {
      label: 'Live published',
      value: count(overall['1m'].published),
      note: lastMinute(overall),
    },
    {
      label: 'Live failed',
      value: count(overall['1h'].failed),
      note: `last hour; ${count(queue.byQueue.live.failed)} kept`,
    },
    { label: 'Live waiting', value: count(queue.byQueue.live.waiting), note: noteOf(queue, 'live') },
    {
      label: 'POST → published',
      value: duration(total['5m'].p50),
      note: lastMinutes(total),
    },
    {
      label: 'POST → screen',
      value: duration(browser['5m'].p50),
      note: lastMinutes(browser),
    },
  ];
}

function tilesOfBulk({ byQueue: { bulk }, queue }: FleetMetricsReading): Tile[] {
  const { overall } = bulk;
  return [
    {
      label: 'Bulk published',
      value: count(overall['1m'].published),
      note: lastMinute(overall),
    },
    {
      label: 'Bulk failed',
      value: count(overall['1h'].failed),
      note: `last hour; ${count(queue.byQueue.bulk.failed)} kept`,
    },
    { label: 'Bulk waiting', value: count(queue.byQueue.bulk.waiting), note: noteOf(queue, 'bulk') },
  ];
}

function lastMinute({ '5m': { successRate } }: OutcomesByEvent['overall']): string {
  return successRate === null ? 'last minute' : `last minute; ${percent(successRate)} succeed`;
}

function lastMinutes({ '5m': { p99 } }: FleetMetricsReading['latencyMs']['total']): string {
  return p99 === null ? 'none in the last 5 min' : `p99 ${duration(p99)}, 5 min`;
}

/** Writes that no call announced. */
function unannounced({ bySource: { sweep, capture } }: FleetMetricsReading): Omit<Tile, 'label'> {
  const n = sweep['1h'] + capture['1h'];
  return {
    value: count(n),
    note: n === 0 ? 'none in the last hour' : 'last hour; no call announced them',
  };
}

function tileOfDashboards({ fleet }: FleetMetricsReading): Tile {
  return {
    label: 'Dashboards',
    value: count(fleet.sockets),
    note: `of ${count(fleet.companies)} ${fleet.companies === 1 ? 'company' : 'companies'}`,
  };
}

function tilesOfProcesses({ fleet }: FleetMetricsReading): Tile[] {
  const { gateway, worker } = fleet.processes;
  return [
    { label: 'Workers', value: count(worker.length), note: latest('last progress', worker) },
    { label: 'Gateways', value: count(gateway.length), note: latest('last canary', gateway) },
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
