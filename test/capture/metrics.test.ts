import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { registerCaptureMetrics } from '../../src/metrics/capture-metrics.ts';

test('counts of the change stream exist only if capture is on, so that the alarm for a silent stream cannot fire without one', async () => {
  const registry = new Registry();
  const metrics = registerCaptureMetrics(registry);
  const lines = async () =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('emission_capture_'));
  expect(await lines()).toEqual(['emission_capture_owner 0']);

  metrics.watchCapture(() => undefined);
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'emission_capture_changes_total{result="unread"} 0',
      'emission_capture_restarts_total{reason="missing"} 0',
    ]),
  );
  metrics.watchCapture(() => 2_500);
  expect(await lines()).toEqual(
    expect.arrayContaining(['emission_capture_owner 1', 'emission_capture_token_age_seconds 2.5']),
  );
});
