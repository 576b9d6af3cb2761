import {
  APPOINTMENT_EVENTS,
  type CaptureState,
  cut,
  type EmissionSource,
  type FleetMetricsReading,
  isolate,
  type LatencyStage,
  type OutcomesByEvent,
} from '@appointment-emissions/contracts';
import { byId, create } from '../shared/elements.ts';
import { count, duration, ms, percent } from './format.ts';

const STAGES: Record<LatencyStage, string> = {
  accept: 'accept',
  wait: 'wait',
  load: 'load',
  publish: 'publish',
  total: 'total, live',
  browser: 'total, to screen',
  bulk: 'total, bulk',
  capture: 'capture, to acceptance',
  deliver: 'publish, to gateway',
};

const SOURCES: Record<EmissionSource, string> = {
  call: 'announced by a call, or by a repair',
  capture: 'found in the change stream, if CAPTURE is on',
  sweep: 'found in MongoDB by the sweep',
};

/** Fills a table. The first row is the header; numbers are right-aligned. `nothing` is shown if there are no other rows. */
function fill(table: HTMLTableElement, rows: readonly (readonly string[])[], nothing: string): void {
  const [head = [], ...body] = rows;
  const row = (cells: readonly string[], tag: 'th' | 'td') => {
    const line = create('tr');
    line.append(
      ...cells.map((text, index) => {
        const cell = create(
          index === 0 ? 'th' : tag,
          /^[\d<>–]/.test(text) || tag === 'th' ? 'number' : '',
          text,
        );
        if (cell.localName === 'th') cell.scope = tag === 'th' ? 'col' : 'row';
        if (index === 0) cell.className = '';
        return cell;
      }),
    );
    return line;
  };
  const [thead, tbody] = [create('thead'), create('tbody')];
  thead.append(row(head, 'th'));
  if (body.length > 0) tbody.append(...body.map((cells) => row(cells, 'td')));
  else {
    const cell = create('td', 'quiet', nothing);
    cell.colSpan = head.length;
    const line = create('tr');
    line.append(cell);
    tbody.append(line);
  }
  table.replaceChildren(thead, tbody);
}

function rowsByEvent({ events }: OutcomesByEvent): string[][] {
  return [
    ['Event', 'accepted', 'published', 'retried', 'failed', 'failure rate'],
    ...APPOINTMENT_EVENTS.map((event) => {
      const { accepted, published, retried, failed, failureRate } = events[event]['1h'];
      return [
        event.replace(/^.*:/, ''),
        count(accepted),
        count(published),
        count(retried),
        count(failed),
        percent(failureRate),
      ];
    }),
  ];
}

/** For the worker that reads the change stream. */
function describeCapture({ tokenAgeMs, restarts }: CaptureState): string {
  return `token ${duration(tokenAgeMs)} old, ${restarts === 1 ? '1 restart' : `${count(restarts)} restarts`}`;
}

function rowsOverShare({ overShare }: FleetMetricsReading['fleet']): string[][] {
  return [
    ['Company', 'moved to bulk'],
    ...overShare.map(({ companyId, emissions }) => [companyId, count(emissions)]),
  ];
}

function rowsBusiest({ busiest }: FleetMetricsReading['fleet']): string[][] {
  return [
    ['Company', 'dashboards', 'reads that waited'],
    ...busiest.map(({ companyId, sockets, delayedReads }) => [
      companyId,
      count(sockets),
      count(delayedReads),
    ]),
  ];
}

/** Updates the tables. A table is rewritten only if its values change, so that a text selection in it is kept. */
export function createTables() {
  const written = new Map<string, string>();
  const write = (id: string, rows: string[][], nothing = '') => {
    const now = JSON.stringify(rows);
    if (written.get(id) === now) return;
    written.set(id, now);
    fill(byId(id, HTMLTableElement), rows, nothing);
  };
  return ({ byQueue, bySource, latencyMs, fleet, rejected }: FleetMetricsReading): void => {
    write('live-events', rowsByEvent(byQueue.live));
    write('bulk-events', rowsByEvent(byQueue.bulk));
    write('sources', [
      ['Source', 'published', 'writes that were'],
      ...(Object.entries(SOURCES) as [EmissionSource, string][]).map(([source, words]) => [
        source,
        count(bySource[source]['1h']),
        words,
      ]),
    ]);
    write('stages', [
      ['Stage', 'count', 'p50', 'p95', 'p99'],
      ...(Object.entries(STAGES) as [LatencyStage, string][]).map(([stage, name]) => {
        const { count: n, p50, p95, p99 } = latencyMs[stage]['5m'];
        return [name, count(n), ms(p50), ms(p95), ms(p99)];
      }),
    ]);
    write(
      'processes',
      [
        ['Process', 'heartbeat', 'progress', 'sockets', 'change stream'],
        ...(['api', 'gateway', 'worker'] as const).flatMap((role) =>
          fleet.processes[role].map(({ id, sinceHeartbeatMs, sinceProgressMs, sockets, capture }) => [
            `${role} ${isolate(cut(id, 8))}`,
            `${duration(sinceHeartbeatMs)} ago`,
            sinceProgressMs === null ? '–' : `${duration(sinceProgressMs)} ago`,
            role === 'gateway' ? count(sockets) : '–',
            capture === null ? '–' : describeCapture(capture),
          ]),
        ),
      ],
      'No process has sent a heartbeat for 15 s.',
    );
    write(
      'rejected',
      [
        ['Code', 'requests'],
        ...Object.entries(rejected['1h'])
          .sort(([, a], [, b]) => b - a)
          .map(([code, n]) => [code, count(n)]),
      ],
      'No rejections.',
    );
    write('over-share', rowsOverShare(fleet), 'No company exceeds MAX_LIVE_PER_COMPANY_PER_SECOND.');
    write('busiest', rowsBusiest(fleet), 'No dashboard is connected.');
  };
}
