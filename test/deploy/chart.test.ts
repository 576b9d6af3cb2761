import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { SETTING_NAMES } from '../../src/config.ts';
import { PROMETHEUS_METRICS } from '../../src/metrics/prometheus-catalog.ts';
import { filesBelow, readPage } from '../docs/pages.ts';

/** Sources of the chart. test/deploy/render.test.ts renders it. */
const schema = JSON.parse(readPage('deploy/helm/values.schema.json'));
const values = parse(readPage('deploy/helm/values.yaml'));
const templates = Object.fromEntries(
  filesBelow('deploy/helm/templates', '.yaml').map((file) => [file.split('/').at(-1), readPage(file)]),
);

test('every setting is a value of settings, a key of the Secret, or set by the chart', () => {
  const ofValues = Object.keys(schema.properties.settings.properties);
  const ofSecret = Object.keys(schema.properties.secrets.properties);
  // A container writes to standard output alone.
  const ofChart = ['PORT', 'METRICS_PORT', 'LOG_FILES', 'LOG_DIR', 'LOG_FILE_MAX_MB', 'OPERATORS_FILE'];
  expect([...ofValues, ...ofSecret, ...ofChart].sort()).toEqual([...SETTING_NAMES].sort());
});

test('the schema describes every value, and no other', () => {
  const describedBy = ({ properties = {} }: { properties?: object }): unknown =>
    Object.fromEntries(
      Object.entries(properties).map(([name, described]) => [name, describedBy(described as object)]),
    );
  const described = describedBy(schema) as Record<string, object>;
  // Helm adds it to the values of a chart that is part of another one.
  delete described['global'];
  for (const [name, parts] of Object.entries(described)) {
    expect(values).toHaveProperty(name);
    // Maps without defaults.
    if (['settings', 'secrets'].includes(name)) continue;
    if (Object.keys(parts).length > 0)
      expect(Object.keys(values[name]).sort()).toEqual(Object.keys(parts).sort());
  }
  expect(Object.keys(values).sort()).toEqual(Object.keys(described).sort());
});

test('the chart has the version of the project', () => {
  const { version } = JSON.parse(readPage('package.json')) as { version: string };
  expect(parse(readPage('deploy/helm/Chart.yaml'))).toMatchObject({ version, appVersion: version });
});

test('KEDA reads a metric of the code, for each of its queues', () => {
  const [, metric = ''] = /valueLocation: (\w+)\{queue="\{\{ \$queue \}\}"\}/.exec(
    templates['scaled-object.yaml'],
  )!;
  expect(PROMETHEUS_METRICS).toMatchObject({ [metric]: { type: 'gauge', labels: ['queue'] } });
  expect(templates['scaled-object.yaml']).toContain('dict "live" .liveAgeSeconds "bulk" .bulkAgeSeconds');
});

test('Prometheus gives the targets the job that the alarms name', () => {
  const { scrape_configs: jobs } = parse(readPage('ops/prometheus.yml')) as {
    scrape_configs: { job_name: string }[];
  };
  expect(templates['metrics.yaml']).toContain(`targetLabel: job, replacement: ${jobs[0]!.job_name} }`);
});

test('the README says in at most 250 words how to install the chart, and that no cluster ran it', () => {
  const readme = readPage(join('deploy', 'helm', 'README.md'));
  expect(readme).toContain('**No cluster ever ran it**');
  expect(readme.split(/\s+/).length).toBeLessThanOrEqual(250);
});
