import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { registerCaptureMetrics } from '../../src/metrics/capture-metrics.ts';
import { registerGatewayMetrics, registerHttpMetrics } from '../../src/metrics/client-metrics.ts';
import { registerFleetGauges } from '../../src/metrics/fleet-gauges.ts';
import { registerProcessGauges } from '../../src/metrics/process-gauges.ts';
import { PROMETHEUS_METRICS } from '../../src/metrics/prometheus-catalog.ts';
import { useFleet } from './world.ts';

const fleets = useFleet();

test('docs/reference/metrics.md lists every Prometheus metric, with its labels and meaning, and no other', () => {
  const page = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
  const documented = page
    .split('\n')
    .filter((line) => line.startsWith('| `emission_'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, name, labels, help]) => ({ name, labels, help }));
  const made = Object.entries(PROMETHEUS_METRICS).map(([name, { labels, help }]) => ({
    name,
    labels: labels.join(', '),
    help,
  }));
  expect(documented).toEqual(made);
});

test('a process exposes exactly the catalog, and no label contains a company or an appointment', async () => {
  const { registry } = fleets.start().process();
  const unread = () => Promise.reject(new Error('not read'));
  registerCaptureMetrics(registry);
  registerGatewayMetrics(registry);
  registerHttpMetrics(registry);
  registerProcessGauges(registry).watchWarnings(() => Promise.resolve([]));
  registerFleetGauges({ registry, readQueueDepth: unread, readQueueStates: unread, readFleet: unread });
  const exposed = (await registry.getMetricsAsJSON()).map(({ name, help, type }) => ({ name, help, type }));
  const described = Object.entries(PROMETHEUS_METRICS).map(([name, { help, type }]) => ({
    name,
    help,
    type,
  }));
  expect(exposed.map((metric) => ({ ...metric, type: String(metric.type) }))).toEqual(
    expect.arrayContaining(described),
  );
  expect(exposed).toHaveLength(described.length);
  const labels = Object.values(PROMETHEUS_METRICS).flatMap((metric): string[] => [...metric.labels]);
  expect(new Set(labels)).toEqual(
    new Set([
      'event',
      'reason',
      'stage',
      'queue',
      'state',
      'role',
      'field',
      'server',
      'kind',
      'source',
      'result',
      'use',
      'route',
      'code',
      'shard',
      'version',
      'node',
      'commit',
    ]),
  );
});

test('the name of a metric says its type, as docs/reference/metrics.md explains, and durations are in seconds', () => {
  for (const [name, { type }] of Object.entries(PROMETHEUS_METRICS)) {
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name.endsWith('_duration_seconds')).toBe(type === 'histogram');
    if (/duration|age/.test(name)) expect(name).toMatch(/_seconds$/);
  }
});
