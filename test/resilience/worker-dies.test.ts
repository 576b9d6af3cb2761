import { afterEach, expect, test } from '@jest/globals';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { ownMongo } from '../harness/own-services.ts';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { startHoldingProxy } from '../embedded/hold-replies.ts';
import { emitMany, outcomes } from './emissions.ts';
import { createProxy } from './proxy.ts';

let world: World;
let mongo: ServiceHandle | undefined;
afterEach(async () => {
  await mongo?.kill('SIGCONT');
  await world.close();
  await mongo?.stop();
  mongo = undefined;
});

/** A world whose worker has taken `count` jobs and waits for MongoDB's answer to all of them. */
async function workerInTheMiddle(count: number) {
  const server = await ownMongo();
  mongo = server;
  world = await createWorld({ mongoUri: server.url, env: { RECONCILE_INTERVAL_MS: '0' } });
  const [api, worker, company] = await Promise.all([
    world.ready(world.api()),
    world.workerProcess(),
    world.documents.company(),
  ]);
  await world.jobs.pause();
  const emissionIds = await emitMany(world, api, company, count);
  await server.kill('SIGSTOP');
  await world.jobs.resume();
  await eventually('all to be taken', async () => (await world.jobs.count('active')) === count);
  return { worker, emissionIds, thaw: () => server.kill('SIGCONT') };
}

test('SIGTERM: running jobs are finished, and the process exits with 0 within 10 s', async () => {
  const { worker, emissionIds, thaw } = await workerInTheMiddle(30);
  worker.kill('SIGTERM');
  await thaw();

  expect(await until('the worker to end', worker.exited, 10_000)).toBe(0);
  const states = await Promise.all(emissionIds.map((emissionId) => world.jobs.stateOf(emissionId)));
  expect(new Set(states)).toEqual(new Set(['completed']));
});

test('SIGTERM while MongoDB does not answer: the process exits with 0 within 10 s, and its jobs remain', async () => {
  const { worker, emissionIds } = await workerInTheMiddle(5);
  worker.kill('SIGTERM');
  expect(await until('the worker to end', worker.exited, 10_000)).toBe(0);
  const states = await Promise.all(emissionIds.map((emissionId) => world.jobs.stateOf(emissionId)));
  expect(states).not.toContain('failed');
  expect(states).not.toContain('unknown');
});

test('SIGKILL: another worker runs its jobs within 20 s', async () => {
  const { worker, emissionIds, thaw } = await workerInTheMiddle(30);
  const killedAt = Date.now();
  worker.kill('SIGKILL');
  await Promise.all([world.workerProcess(), thaw()]);

  const seen = await outcomes(world, emissionIds);
  expect(Date.now() - killedAt).toBeLessThan(20_000);
  expect(seen.counts).toEqual({ completed: 30 });
  expect(seen.failures).toEqual([]);
});

test('SIGKILL of an API: a worker runs its direct jobs within 20 s', async () => {
  world = await createWorld({
    env: { RECONCILE_INTERVAL_MS: '0' },
    limits: { MAX_DIRECT_UTILIZATION: 1 },
  });
  const proxy = await startHoldingProxy(world.env['MONGODB_URI']!);
  world.keep(proxy, () => {
    proxy.close();
  });
  const [api, other, company] = await Promise.all([
    world.apiProcess({ MONGODB_URI: proxy.uri }),
    world.ready(world.api()),
    world.documents.company(),
  ]);
  const dashboard = await world.dashboard(other, company.companyId);
  const appointmentId = await company.appointment();
  const held = proxy.holdReplies(1, Buffer.from('aggregate'), Buffer.from(appointmentId, 'hex'));
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  await until('the read of the direct job', held.all);
  api.kill('SIGKILL');
  world.worker();
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId, 'a worker to publish', 20_000);
  expect(await world.jobIn(emissionId, 'completed')).toMatchObject({ attemptsMade: 1 });
});

test('a worker that freezes before it publishes, until its lock has expired, does not publish its snapshot afterwards', async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  const proxy = await createProxy(world.env['REDIS_URL']!);
  world.keep(proxy, proxy.close);
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const dashboard = await world.dashboard(api, company.companyId);
  const appointmentId = await company.appointment({ notes: 'early' });

  const frozen = await world.workerProcess({ REDIS_URL: proxy.url });
  await world.jobs.pause();
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  // Its confirm is the first command that contains the emission: the read is done, and the snapshot is about to be sent.
  proxy.holdRequestsFrom(emissionId);
  await world.jobs.resume();
  await until('the worker to confirm its read', proxy.held);
  frozen.kill('SIGSTOP');

  await company.change(appointmentId, { notes: 'late' });
  const other = await world.workerProcess();
  const received = await dashboard.receive(
    ({ meta }) => meta.emissionId === emissionId,
    'the other worker to publish',
    20_000,
  );
  expect(received.payload.appointment.notes).toBe('late');
  await world.jobIn(emissionId, 'completed');

  proxy.releaseRequests();
  frozen.kill('SIGCONT');
  await other.stop();
  // The thawed worker is the only one: when the next emission arrives, all its earlier messages have been sent.
  const next = await world.emit(api, 'appointment-updated', appointmentId);
  await dashboard.receive(({ meta }) => meta.emissionId === next, 'an emission of the thawed worker');
  expect(dashboard.received.map(({ payload }) => payload.appointment.notes)).not.toContain('early');
}, 90_000);
