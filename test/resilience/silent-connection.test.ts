import { afterEach, expect, test } from '@jest/globals';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { outcomes } from './emissions.ts';
import { createProxy } from './proxy.ts';

let world: World;
afterEach(() => world.close());

test('a worker and an API reconnect if their connections to Redis go silent, as after a network failover', async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  const proxy = await createProxy(world.env['REDIS_URL']!);
  world.keep(proxy, proxy.close);
  const behind = { REDIS_URL: proxy.url };
  const [api, company] = await Promise.all([
    world.ready(world.apiProcess(behind)),
    world.documents.company(),
    world.workerProcess(behind),
  ]);
  const dashboard = await world.dashboard(api, company.companyId);
  const appointmentId = await company.appointment();
  const first = await world.emit(api, 'appointment-created', appointmentId);
  await dashboard.receive(({ meta }) => meta.emissionId === first);

  proxy.blackhole();
  const accepted = until(
    'an emission to be accepted again',
    (async () => {
      for (;;) {
        const response = await world.post(api, 'appointment-updated', { appointmentId });
        const body = (await response.json()) as { emissionId: string };
        if (response.status === 202) return body.emissionId;
        expect(response.status).toBe(503);
      }
    })(),
    10_000,
  );
  expect((await outcomes(world, [await accepted], 40_000)).counts).toEqual({ completed: 1 });
  // The subscription too, which is only pinged from time to time.
  await eventually(
    'an emission to arrive again',
    async () => {
      const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
      await world.jobIn(emissionId, 'completed');
      return dashboard.received.some(({ meta }) => meta.emissionId === emissionId);
    },
    40_000,
  );
}, 120_000);
