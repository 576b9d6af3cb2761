import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { JOB_VERSION } from '../../src/queue/emission-job.ts';
import { shiftedBy } from '../harness/shifted-clock.ts';
import { createWorld, type World } from '../harness/world.ts';

const HOUR_MS = 3_600_000;
let world: World;
beforeEach(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
});
afterEach(() => world.close());

/** Adds a delayed job, as after a failed attempt, by a process whose clock shows `timestamp`. */
async function delayed(name: 'queue' | 'bulk', delay: number, timestamp: number): Promise<string> {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const event = 'appointment:created';
  const jobId = `delayed-${appointmentId}`;
  const acceptedAt = new Date().toISOString();
  const { companyId } = company;
  const job = { v: JOB_VERSION, event, appointmentId, companyId, emissionId: jobId, acceptedAt };
  await world[name].add(event, job, { jobId, delay, timestamp, ...(name === 'bulk' && { priority: 20 }) });
  return jobId;
}

test.each(['queue', 'bulk'] as const)(
  'a job in the %s that was delayed by a worker an hour ahead runs soon after the clock is corrected',
  async (name) => {
    const jobId = await delayed(name, 500, Date.now() + HOUR_MS);
    world.worker();
    await world.jobIn(jobId, 'completed');
  },
);

test('a delayed job runs when it is due even if the only worker is an hour behind', async () => {
  const jobId = await delayed('queue', 500, Date.now());
  await world.workerProcess(shiftedBy(-HOUR_MS));
  await world.jobIn(jobId, 'completed');
});

test('a job in backoff stays delayed until it is due', async () => {
  const notDue = await delayed('queue', 29_000, Date.now());
  const overdue = await delayed('queue', 0, Date.now() + HOUR_MS);
  const late = await delayed('queue', 500, Date.now() + HOUR_MS);
  world.worker();
  await world.jobIn(overdue, 'completed');
  await world.jobIn(late, 'completed');
  expect(await world.jobs.stateOf(notDue)).toBe('delayed');
});
