import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { jobOptions } from '../../src/queue/retry-policy.ts';
import type { Stage } from './stage.ts';

const CHUNK = 1_000;
const LOOK_EVERY_MS = 10;

/** Puts so many emissions into the queue, as the API does. */
export async function fillQueue({ queue, ids }: Stage, jobs: number, priority = 0): Promise<void> {
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

/** Resolves when at most so many jobs wait or run; to how many those are, and when that was. */
export async function queueAtMost(
  { queue }: Pick<Stage, 'queue'>,
  jobs: number,
): Promise<{ left: number; at: number }> {
  for (;;) {
    const { wait = 0, active = 0 } = await queue.getJobCounts('wait', 'active');
    if (wait + active <= jobs) return { left: wait + active, at: performance.now() };
    await pause(LOOK_EVERY_MS);
  }
}

/** Takes away what waits; resolves when what runs has ended too. */
export async function emptyQueue({ queue }: Pick<Stage, 'queue'>): Promise<void> {
  await queue.drain();
  await queueAtMost({ queue }, 0);
}
