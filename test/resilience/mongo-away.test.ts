import { afterEach, expect, test } from '@jest/globals';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { ownMongo } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { emitMany, outcomes } from './emissions.ts';

let world: World;
let mongo: ServiceHandle;
afterEach(async () => {
  await mongo.kill('SIGCONT');
  await world.close();
  await mongo.stop();
});

async function mongoOfItsOwn(): Promise<void> {
  mongo = await ownMongo();
  world = await createWorld({
    mongoUri: mongo.url,
    // One attempt only: if the fault spent it, the emission would fail.
    env: { RECONCILE_INTERVAL_MS: '0', EMISSION_ATTEMPTS: '1', API_CONCURRENCY: '0' },
  });
}

/** How often each job was started. */
async function starts(emissionIds: readonly string[]): Promise<number[]> {
  const jobs = await Promise.all(emissionIds.map((emissionId) => world.jobs.get(emissionId)));
  return jobs.map((job) => job?.attemptsStarted ?? 0);
}

test('while MongoDB is stopped, emissions are retried without spending an attempt, and are published afterwards', async () => {
  await mongoOfItsOwn();
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const emissionIds = await emitMany(world, api, company, 20);
  await mongo.kill();

  await world.workerProcess();
  await eventually('each to be begun twice', async () =>
    (await starts(emissionIds)).every((begun) => begun >= 2),
  );
  const jobs = await Promise.all(emissionIds.map((emissionId) => world.jobs.get(emissionId)));
  expect(jobs.map((job) => job?.attemptsMade)).toEqual(emissionIds.map(() => 0));
  await mongo.restart();

  const seen = await outcomes(world, emissionIds);
  expect(seen.counts).toEqual({ completed: 20 });
  expect({ failures: seen.failures, attemptsSpent: seen.attemptsSpent }).toEqual({
    failures: [],
    attemptsSpent: [1],
  });
});

test('a MongoDB that freezes during emissions costs no emission and no attempt', async () => {
  await mongoOfItsOwn();
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  await world.workerProcess({ WORKER_CONCURRENCY: '4' });
  const emissionIds = await emitMany(world, api, company, 150);
  await eventually('some to be published', async () => (await world.jobs.count('completed')) >= 10);
  await mongo.kill('SIGSTOP');
  await eventually('one to be begun again', async () =>
    (await starts(emissionIds)).some((begun) => begun >= 2),
  );
  await mongo.kill('SIGCONT');

  const seen = await outcomes(world, emissionIds);
  expect(seen.counts).toEqual({ completed: 150 });
  expect({ failures: seen.failures, attemptsSpent: seen.attemptsSpent }).toEqual({
    failures: [],
    attemptsSpent: [1],
  });
});
