import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Company } from '../harness/documents.ts';
import { shiftedBy } from '../harness/shifted-clock.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

const HOUR_MS = 3_600_000;
let world: World;
let company: Company;
beforeEach(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  company = await world.documents.company();
});
afterEach(() => world.close());

async function read<T>(url: string, path: string): Promise<T> {
  return (await (await fetch(`${url}${path}`, { headers: { 'x-api-key': API_KEY } })).json()) as T;
}
interface Latencies {
  latencyMs: Record<'wait' | 'total', { '5m': { count: number; p99: number | null } }>;
}

test.each([
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
])(
  'a worker whose clock is an hour %s is named in /health, and latencies stay right',
  async (words, shiftMs) => {
    const api = await world.api({ API_CONCURRENCY: '0' });
    await world.workerProcess(shiftedBy(shiftMs));
    await eventually('the warning', async () => {
      const { warnings } = await read<{ warnings: string[] }>(api.url, '/health');
      return warnings.some((warning) => warning.includes(`its clock is 3600 s ${words} of Redis'`));
    });
    const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
    await world.jobIn(emissionId, 'completed');
    const { latencyMs } = await eventually('the latencies', async () => {
      const metrics = await read<Latencies>(api.url, '/api/v1/internal/metrics');
      return metrics.latencyMs.total['5m'].count === 1 ? metrics : undefined;
    });
    expect(latencyMs.total['5m'].p99).toBeLessThan(60_000);
    expect(latencyMs.wait['5m'].p99).toBeLessThan(60_000);
  },
);

test.each([
  ['ahead', 2 * HOUR_MS],
  ['behind', -2 * HOUR_MS],
])(
  'an API whose clock is hours %s accepts valid tokens, and its acceptance times are right',
  async (_words, shiftMs) => {
    const wrong = await world.apiProcess(shiftedBy(shiftMs));
    const right = await world.api();
    world.worker();
    const dashboard = await world.dashboard(wrong, company.companyId);
    const appointmentId = await company.appointment();
    const emissionId = await world.emit(wrong, 'appointment-created', appointmentId);
    const received = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
    expect(Math.abs(Date.parse(received.meta.acceptedAt) - Date.now())).toBeLessThan(60_000);
    // By any process: the sets of ids are named by a clock that all share.
    const found = await eventually('the timeline', async () => {
      const path = `/api/v1/internal/socket/emissions?appointmentId=${appointmentId}`;
      const { emissions } = await read<{ emissions?: { emissionId: string }[] }>(right.url, path);
      return emissions?.length === 1 ? emissions : undefined;
    });
    expect(found[0]!.emissionId).toBe(emissionId);
  },
);
