import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';

/** Makes appointments and has their creation emitted in one batch; every item must be accepted. */
export async function emitMany(
  world: World,
  api: { url: string },
  company: Company,
  count: number,
): Promise<string[]> {
  const appointmentIds = await Promise.all(Array.from({ length: count }, () => company.appointment()));
  const response = await world.post(api, 'batch', {
    emissions: appointmentIds.map((appointmentId) => ({ event: 'appointment:created', appointmentId })),
  });
  const { results } = (await response.json()) as { results: { emissionId?: string }[] };
  return results.map(({ emissionId }, index) => {
    if (emissionId === undefined) throw new Error(`emission ${index} was not accepted`);
    return emissionId;
  });
}

export interface Outcomes {
  /** How many jobs have each state. */
  counts: Record<string, number>;
  /** The different numbers of attempts that the jobs spent. */
  attemptsSpent: number[];
}

/** Waits until every emission has ended, and reads each one's job. */
export async function outcomes(
  world: World,
  emissionIds: readonly string[],
  deadlineMs = 30_000,
): Promise<Outcomes> {
  const ended = new Map<string, { state: string; attempts: number }>();
  await eventually(
    `all of ${emissionIds.length} emissions to end`,
    async () => {
      const open = emissionIds.filter((emissionId) => !ended.has(emissionId));
      await Promise.all(
        open.map(async (emissionId) => {
          const state = await world.queue.getJobState(emissionId);
          if (state === 'unknown') throw new Error(`emission ${emissionId} is lost`);
          if (state !== 'completed' && state !== 'failed') return;
          const job = await world.queue.getJob(emissionId);
          ended.set(emissionId, { state, attempts: job?.attemptsMade ?? -1 });
        }),
      );
      return ended.size === emissionIds.length;
    },
    deadlineMs,
  );
  const counts: Record<string, number> = {};
  for (const { state } of ended.values()) counts[state] = (counts[state] ?? 0) + 1;
  return { counts, attemptsSpent: [...new Set([...ended.values()].map(({ attempts }) => attempts))].sort() };
}
