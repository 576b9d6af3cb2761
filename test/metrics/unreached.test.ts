import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/process/free-port.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0' } });
});
afterAll(() => world.close());

test('an emission that a worker with another SOCKET_ADAPTER_KEY publishes is counted as unreached, others are not', async () => {
  const [company, api] = [await world.documents.company(), await world.ready(world.api())];
  const dashboard = await world.dashboard(api, company.companyId);

  /** Emits through a worker. Resolves to its count of emissions that reached no gateway. */
  async function countUnreached(env: Record<string, string>): Promise<number> {
    const port = await freePort();
    // Redis would deny the worker's own user the other channel.
    const worker = world.worker({ ...env, METRICS_PORT: String(port), REDIS_URL: world.env['REDIS_URL']! });
    const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
    await world.jobIn(emissionId, 'completed');
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await worker.close();
    return Number(/^emission_unreached_total (\d+)$/m.exec(text)![1]);
  }

  expect(await countUnreached({})).toBe(0);
  expect(dashboard.received).toHaveLength(1);
  expect(await countUnreached({ SOCKET_ADAPTER_KEY: `${world.env['SOCKET_ADAPTER_KEY']}-other` })).toBe(1);
  expect(dashboard.received).toHaveLength(1);
});

test('a worker whose emissions reach no gateway is named in /health, until one reaches a gateway', async () => {
  const [company, api] = [await world.documents.company(), await world.ready(world.api())];
  const warnings = async () => {
    const { warnings } = (await (await fetch(`${api.url}/health`)).json()) as { warnings: string[] };
    return warnings.filter((warning) => warning.includes('no gateway receives what this worker publishes'));
  };
  async function emit(): Promise<void> {
    const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
    await world.jobIn(emissionId, 'completed');
  }
  const REDIS_URL = world.env['REDIS_URL']!;
  const SOCKET_ADAPTER_KEY = `${world.env['SOCKET_ADAPTER_KEY']}-later`;
  world.worker({ SOCKET_ADAPTER_KEY, REDIS_URL });
  for (let emitted = 1; emitted <= 3; emitted += 1) await emit();
  await eventually('the warning', async () => (await warnings()).length === 1);
  await world.api({ SOCKET_ADAPTER_KEY, REDIS_URL });
  await emit();
  await eventually('no warning', async () => (await warnings()).length === 0);
});
