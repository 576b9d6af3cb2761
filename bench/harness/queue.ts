import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { jobOptions } from '../../src/queue/retry-policy.ts';
import type { BenchEnvironment } from './environment.ts';

const CHUNK = 1_000;
const POLL_INTERVAL_MS = 10;

/** Enqueues emissions with the options that the API uses. @param jobs  how many */
export async function fillQueue({ queue, ids }: BenchEnvironment, jobs: number, priority = 0): Promise<void> {
  const options = jobOptions({ attempts: 8, firstRetryDelayMs: 500 });
  const acceptedAt = new Date().toISOString();
  for (let from = 0; from < jobs; from += CHUNK) {
    await queue.addBulk(
      Array.from({ length: Math.min(CHUNK, jobs - from) }, (_, i) => {
        const emissionId = randomUUID();
        const target = ids[(from + i) % ids.length]!;
        return {
          name: 'appointment:created',
          data: { v: 1, event: 'appointment:created', ...target, emissionId, acceptedAt },
          opts: { ...options, jobId: emissionId, priority },
        };
      }),
    );
  }
}

/** Resolves once at most `jobs` jobs are waiting or active: `left` of them, at the time `at` (ms, `performance.now()`). */
export async function queueAtMost(
  { queue }: Pick<BenchEnvironment, 'queue'>,
  jobs: number,
): Promise<{ left: number; at: number }> {
  for (;;) {
    const { wait = 0, active = 0 } = await queue.getJobCounts('wait', 'active');
    if (wait + active <= jobs) return { left: wait + active, at: performance.now() };
    await pause(POLL_INTERVAL_MS);
  }
}

/** Removes all waiting jobs, then waits for the active ones to finish. */
export async function emptyQueue({ queue }: Pick<BenchEnvironment, 'queue'>): Promise<void> {
  await queue.drain();
  await queueAtMost({ queue }, 0);
}
