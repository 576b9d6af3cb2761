import type { BatchReply } from '@appointment-emissions/contracts';
import { chunks } from '../../src/batching.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';

/** Small enough for the database of the tests to find within its time limit, on a busy machine too. */
const BATCH = 200;
const SINGLE_AT_ONCE = 20;

/** Makes appointments and has their creation emitted, half in batches, half one by one; each must be accepted. */
export async function emitMany(
  world: World,
  api: { url: string },
  company: Company,
  count: number,
): Promise<string[]> {
  const emissionIds: string[] = [];
  while (emissionIds.length < count) {
    const size = Math.min(BATCH, count - emissionIds.length);
    const appointmentIds = await Promise.all(Array.from({ length: size }, () => company.appointment()));
    const single = appointmentIds.splice(0, size / 2);
    for (const slice of chunks(single, SINGLE_AT_ONCE)) {
      const ids = slice.map((appointmentId) => world.emit(api, 'appointment-created', appointmentId));
      emissionIds.push(...(await Promise.all(ids)));
    }
    const response = await world.post(api, 'batch', {
      emissions: appointmentIds.map((appointmentId) => ({ event: 'appointment:created', appointmentId })),
    });
    const body = await response.text();
    if (response.status !== 202) throw new Error(`not accepted: ${response.status} ${body}`);
    for (const { index, emissionId } of (JSON.parse(body) as BatchReply).results) {
      if (emissionId === undefined) throw new Error(`emission ${index} was not accepted`);
      emissionIds.push(emissionId);
    }
  }
  return emissionIds;
}

export interface Outcomes {
  /** How many jobs have each state. */
  counts: Record<string, number>;
  /** The different numbers of attempts that the jobs spent. */
  attemptsSpent: number[];
  /** Why attempts failed, except for slow reads: for faults that have nothing to do with the database. */
  failures: string[];
}

/** A read that the database of the tests did not finish in time. It is slow on a busy machine, whatever fault a test causes. */
const SLOW_READ = /^DATABASE_ERROR: .* \(MaxTimeMSExpired\)$/;

/** Waits until every emission has ended, and reads each one's job. */
export async function outcomes(
  world: World,
  emissionIds: readonly string[],
  deadlineMs = 30_000,
): Promise<Outcomes> {
  const ended = new Map<string, { state: string; attempts: number; failures: string[] }>();
  await eventually(
    `all of ${emissionIds.length} emissions to end`,
    async () => {
      const open = emissionIds.filter((emissionId) => !ended.has(emissionId));
      await Promise.all(
        open.map(async (emissionId) => {
          const state = await world.jobs.stateOf(emissionId);
          if (state === 'unknown') throw new Error(`emission ${emissionId} is lost`);
          if (state !== 'completed' && state !== 'failed') return;
          const job = await world.jobs.get(emissionId);
          ended.set(emissionId, { state, attempts: job?.attemptsMade ?? -1, failures: failuresOf(job) });
        }),
      );
      return ended.size === emissionIds.length;
    },
    deadlineMs,
  );
  const counts: Record<string, number> = {};
  for (const { state } of ended.values()) counts[state] = (counts[state] ?? 0) + 1;
  const all = [...ended.values()];
  return {
    counts,
    attemptsSpent: [...new Set(all.map(({ attempts }) => attempts))].sort(),
    failures: [...new Set(all.flatMap(({ failures }) => failures))],
  };
}

/** The reasons of a job's failed attempts, which its stack traces begin with. */
function failuresOf(job: Awaited<ReturnType<World['jobs']['get']>>): string[] {
  if (!job) return ['the job does not exist'];
  const failed = (job.stacktrace ?? []).map((trace) => /^Error: (.*)/.exec(trace)?.[1] ?? trace);
  const unexplained = job.attemptsMade - failed.length - 1;
  return [
    ...failed.filter((reason) => !SLOW_READ.test(reason)),
    ...(unexplained === 0 ? [] : [`${unexplained} attempts without a reason`]),
  ];
}
