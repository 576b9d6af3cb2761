import type { Queue } from 'bullmq';
import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';
import { chunks } from '../batching.ts';
import { companyTag } from '../domain/company-log.ts';
import { type RedisClient, scanKeys } from '../redis/connect.ts';

/** The subject of an erasure: one appointment, or a company with all its appointments. */
export type EraseSubject = { companyId: Id } | { appointmentId: Id };

export interface FindKeptDeps {
  redis: RedisClient;
  /** `QUEUE_PREFIX`. */
  prefix: string;
  /** The queues of all shards. */
  queues: () => readonly Queue[];
}

/** Result of one walk over the names of a fleet's keys. */
export interface Kept {
  jobs: { queue: Queue; id: string }[];
  /** Keys of order tokens, with their companies and appointments. */
  orderTokens: { key: string; companyId: Id; appointmentId: Id }[];
  /** Companies and appointments that the jobs and order tokens belong to, with those of the subject. */
  companyIds: Set<Id>;
  appointmentIds: Set<Id>;
  /** Hashes of appointment → company, of all companies. */
  buckets: string[];
  /** Sets of the last emission ids, of all companies. */
  recent: string[];
  /** Companies that have a log. */
  logs: Id[];
  /** False if a master of a Cluster was unavailable. */
  isComplete: boolean;
}

/**
 * Walks over the names of all keys of the fleet, in slices, on each master of a Cluster. An index cannot replace it: order tokens
 * and jobs also exist for appointments that were never published, or whose entry in the index has expired.
 */
export async function findKept(deps: FindKeptDeps, subject: EraseSubject): Promise<Kept> {
  const { redis, prefix, queues } = deps;
  const kept: Kept = {
    ...{ jobs: [], orderTokens: [], buckets: [], recent: [], logs: [], isComplete: true },
    companyIds: new Set('companyId' in subject ? [subject.companyId] : []),
    appointmentIds: new Set('appointmentId' in subject ? [subject.appointmentId] : []),
  };
  const isSubject = ({ companyId, appointmentId }: { companyId: Id; appointmentId: Id }): boolean =>
    'companyId' in subject ? companyId === subject.companyId : appointmentId === subject.appointmentId;
  const readCompanyKey = companyKeyReader(prefix);

  const onMissed = (): void => {
    kept.isComplete = false;
  };
  for await (const keys of scanKeys(redis, `{${prefix.slice(1, -1)}*`, onMissed)) {
    for (const key of keys) {
      if (key.startsWith(`${prefix}:published:`)) kept.buckets.push(key);
      else if (key.startsWith(`${prefix}:recent:`)) kept.recent.push(key);
      const ofCompany = readCompanyKey(key);
      if (ofCompany?.kind === 'log') kept.logs.push(ofCompany.companyId);
      if (ofCompany?.kind === 'order' && isSubject(ofCompany)) kept.orderTokens.push({ key, ...ofCompany });
    }
    for (const queue of queues()) kept.jobs.push(...(await findJobs(deps, { queue, keys, subject, kept })));
  }
  // SCAN may return a key twice.
  kept.orderTokens = [...new Map(kept.orderTokens.map((token) => [token.key, token])).values()];
  kept.jobs = [...new Map(kept.jobs.map((job) => [job.queue.toKey(job.id), job])).values()];
  kept.recent = [...new Set(kept.recent)];
  kept.buckets = [...new Set(kept.buckets)].filter((key) => !key.endsWith(':companies'));
  for (const { companyId, appointmentId } of kept.orderTokens) {
    kept.companyIds.add(companyId);
    kept.appointmentIds.add(appointmentId);
  }
  return kept;
}

interface CompanyKey {
  kind: 'log' | 'order';
  companyId: Id;
  /** Empty for a log. */
  appointmentId: Id;
}

/** Reads names such as `{emissions:company:<id>}:log`. */
function companyKeyReader(prefix: string): (key: string) => CompanyKey | undefined {
  const [before = '', after = ''] = companyTag(prefix, ' ').split(' ');
  return (key) => {
    if (!key.startsWith(before)) return undefined;
    const companyId = key.slice(before.length, key.indexOf(after));
    const [kind, appointmentId = ''] = key
      .slice(before.length + companyId.length + after.length + 1)
      .split(':');
    return kind === 'log' || kind === 'order' ? { kind, companyId, appointmentId } : undefined;
  };
}

const JOBS_PER_PIPELINE = 500;

/** The jobs of the subject among these keys, in any state. Adds their companies and appointments to `kept`. */
async function findJobs(
  { redis }: FindKeptDeps,
  {
    queue,
    keys,
    subject,
    kept,
  }: {
    queue: Queue;
    keys: readonly string[];
    subject: EraseSubject;
    kept: Pick<Kept, 'companyIds' | 'appointmentIds'>;
  },
): Promise<Kept['jobs']> {
  const start = queue.toKey('');
  const subjectId = 'companyId' in subject ? subject.companyId : subject.appointmentId;
  const jobs: Kept['jobs'] = [];
  for (const slice of chunks(
    keys.filter((key) => key.startsWith(start)),
    JOBS_PER_PIPELINE,
  )) {
    const pipeline = redis.pipeline();
    for (const key of slice) pipeline.hget(key, 'data');
    // The queue's own lists and sets have the same prefix: the command fails there.
    for (const [index, [, data]] of ((await pipeline.exec()) ?? []).entries()) {
      // A job that another program damaged counts too, if its data contains the id.
      if (typeof data !== 'string' || !data.includes(subjectId)) continue;
      jobs.push({ queue, id: (slice[index] ?? '').slice(start.length) });
      const { companyId, appointmentId } = idsIn(data);
      if (companyId !== undefined) kept.companyIds.add(companyId);
      if (appointmentId !== undefined) kept.appointmentIds.add(appointmentId);
    }
  }
  return jobs;
}

/** The ids of a job's data, as far as they can be read. */
function idsIn(json: string): { companyId?: Id | undefined; appointmentId?: Id | undefined } {
  const parseId = (value: unknown) =>
    typeof value === 'string' && OBJECT_ID.test(value) ? value : undefined;
  try {
    const { companyId, appointmentId } = Object(JSON.parse(json)) as Record<string, unknown>;
    return { companyId: parseId(companyId), appointmentId: parseId(appointmentId) };
  } catch {
    return {};
  }
}
