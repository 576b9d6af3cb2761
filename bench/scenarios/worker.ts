import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { sideBySide } from '../harness/side-by-side.ts';
import type { Stage } from '../harness/stage.ts';
import { jobOptions } from '../../src/queue/retry-policy.ts';

const JOBS = { fast: 20_000, slow: 3_000 };
/** The first jobs are left out: a process that has just started is not warm. */
const WARM_UP = 0.2;

/** One worker process drains a full queue: jobs a second. */
export async function worker(stage: Stage, rounds: number) {
  const sides = [
    { name: 'BullMQ no-op', file: 'sides/noop-worker.ts', jobs: JOBS.fast },
    { name: 'naive', file: 'sides/naive-worker.ts', jobs: JOBS.slow },
    { name: 'ours', file: 'sides/our-worker.ts', jobs: JOBS.fast },
  ];
  const measured = await sideBySide(
    sides.map(({ name, file, jobs }) => ({
      name,
      round: async () => {
        await fill(stage, jobs);
        const { stop } = await stage.start(file);
        const rate = await drain(stage, jobs);
        await stop();
        await stage.clear();
        return rate;
      },
    })),
    rounds,
  );
  return { title: 'worker: load, populate, publish; jobs/s of one process', unit: '/s', measured };
}

async function fill(stage: Stage, jobs: number): Promise<void> {
  const options = jobOptions({ attempts: 8, firstRetryDelayMs: 500 });
  const acceptedAt = new Date().toISOString();
  for (let from = 0; from < jobs; from += 1_000) {
    await stage.queue.addBulk(
      Array.from({ length: Math.min(1_000, jobs - from) }, (_, i) => {
        const emissionId = randomUUID();
        const target = stage.ids[(from + i) % stage.ids.length]!;
        return {
          name: 'appointment:created',
          data: { v: 1, event: 'appointment:created', ...target, emissionId, acceptedAt },
          opts: { ...options, jobId: emissionId },
        };
      }),
    );
  }
}

/** Jobs a second between the end of the warm-up and the last job. */
async function drain(stage: Stage, jobs: number): Promise<number> {
  const left = async () => {
    const { wait = 0, active = 0 } = await stage.queue.getJobCounts('wait', 'active');
    return wait + active;
  };
  let from: { at: number; left: number } | undefined;
  for (;;) {
    const now = await left();
    if (!from && now <= jobs * (1 - WARM_UP)) from = { at: performance.now(), left: now };
    if (now === 0) break;
    await pause(10);
  }
  return from ? (from.left / (performance.now() - from.at)) * 1_000 : Number.NaN;
}
