import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Id } from '@appointment-emissions/contracts';
import { chunks } from '../batching.ts';
import { AppError } from '../errors.ts';
import {
  type Entries,
  type FindEntriesDeps,
  findInBuckets,
  findIndexed,
  findInLogs,
  findRecent,
  removeEntries,
} from './find-entries.ts';
import { type EraseSubject, findKept, type FindKeptDeps, type Kept } from './find-kept.ts';
import { id } from './requests.ts';

export interface EraseDeps extends FindKeptDeps, FindEntriesDeps {}

/** Numbers of entries in Redis, by the place where they are kept. */
export interface ErasedCounts {
  /** In any state, of all queues. */
  jobs: number;
  orderTokens: number;
  /** Company logs that ended: a new epoch begins, and dashboards reload. */
  logs: number;
  /** Entries of the index of published appointments. */
  published: number;
  /** Entries of the last emission ids. */
  recent: number;
}

const PLACES = [
  'jobs',
  'orderTokens',
  'logs',
  'published',
  'recent',
] as const satisfies (keyof ErasedCounts)[];

/** Result of an erasure, or of its dry run. */
export interface EraseReport extends ErasedCounts {
  dryRun: boolean;
  matched: number;
  removed: number;
  /**
   * False if something was found again in the last pass: a worker had a job, or emissions of it go on. Also if a master of a Cluster
   * was unavailable.
   */
  complete: boolean;
}

/** Each pass walks over all keys again. */
const MAX_PASSES = 10;
/** Longer than processes gather entries of the index and of the last ids before they write them. */
const BETWEEN_PASSES_MS = 500;
const JOBS_AT_ONCE = 25;
const KEYS_PER_COMMAND = 500;

const requestSchema = z.union([
  z.strictObject({ companyId: id, dryRun: z.boolean().default(false) }),
  z.strictObject({ appointmentId: id, dryRun: z.boolean().default(false) }),
]);

/**
 * Removes what Redis keeps of an appointment, or of a company. MongoDB stays as it is: what still exists there is emitted again.
 *
 * A worker that has a job of it meanwhile cannot publish with its old claim, since order token and epoch are gone. It reads again and
 * publishes in the new epoch. So passes repeat until one finds nothing.
 * @throws AppError INVALID_REQUEST, QUEUE_UNAVAILABLE
 */
export function createErase(deps: EraseDeps) {
  return async (request: unknown): Promise<EraseReport> => {
    const { dryRun, ...subject } = parseRequest(request);
    const total: ErasedCounts = { jobs: 0, orderTokens: 0, logs: 0, published: 0, recent: 0 };
    let complete = false;
    const passes = dryRun ? 1 : MAX_PASSES;
    for (let pass = 1; pass <= passes && !complete; pass += 1) {
      if (pass > 1) await pause(BETWEEN_PASSES_MS);
      const { counts, isEmpty, isComplete } = await erasePass(deps, subject, dryRun);
      complete = (dryRun || isEmpty) && isComplete;
      for (const place of PLACES) total[place] += counts[place];
    }
    const matched = sumOf(total);
    return { dryRun, matched, removed: dryRun ? 0 : matched, ...total, complete };
  };
}

function parseRequest(request: unknown): z.infer<typeof requestSchema> {
  const { data } = requestSchema.safeParse(request);
  if (data) return data;
  throw new AppError(
    'INVALID_REQUEST',
    'erase needs either --company or --appointment, with an id of 24 hexadecimal characters',
  );
}

interface Pass {
  /** Whether nothing was found. */
  isEmpty: boolean;
  /** Whether all servers were searched. */
  isComplete: boolean;
  /** Numbers of removed entries; in a dry run, of entries that would be removed. */
  counts: ErasedCounts;
}

/** Jobs first: they would write the other keys again. */
async function erasePass(deps: EraseDeps, subject: EraseSubject, dryRun: boolean): Promise<Pass> {
  const { redis, companyKeys, queues } = deps;
  const kept = await findKept(deps, subject);
  const jobs = dryRun ? kept.jobs.length : await removeJobs(kept);
  const inBuckets = await findInBuckets(deps, subject, kept);
  const logs = await findLogs(deps, subject, kept);
  const indexed = await findIndexed(deps, subject, kept);
  if (indexed.length > 0) for (const companyId of kept.companyIds) logs.add(companyId);
  const recent = await findRecent(deps, kept);
  if (!dryRun) {
    // The events of the queues name jobs and appointments, and no process reads them.
    await Promise.all(queues().map((queue) => queue.trimEvents(0)));
    // From here on claims of an earlier read are refused.
    for (const companyId of logs)
      await redis.unlink(companyKeys.position(companyId), companyKeys.log(companyId));
    for (const tokens of byCompany(kept)) {
      for (const slice of chunks(tokens, KEYS_PER_COMMAND)) await redis.unlink(...slice);
    }
    await removeEntries(redis, [...inBuckets, ...indexed, ...recent]);
  }
  const counts = {
    jobs,
    orderTokens: kept.orderTokens.length,
    logs: logs.size,
    published: countMembers([...inBuckets, ...indexed]),
    recent: countMembers(recent),
  };
  return { isEmpty: kept.jobs.length === 0 && sumOf(counts) === 0, isComplete: kept.isComplete, counts };
}

/** @returns the number of removed jobs: a worker's active job cannot be removed, and is gone or finished in a later pass */
async function removeJobs({ jobs }: Kept): Promise<number> {
  let removed = 0;
  for (const slice of chunks(jobs, JOBS_AT_ONCE)) {
    const done = await Promise.all(slice.map(({ queue, id }) => queue.remove(id)));
    removed += done.filter((code) => code === 1).length;
  }
  return removed;
}

/** The companies whose log must end: those with a log or a position, or with a trace of the appointment. */
async function findLogs(deps: EraseDeps, subject: EraseSubject, kept: Kept): Promise<Set<Id>> {
  const { redis, companyKeys } = deps;
  if ('companyId' in subject) {
    const { companyId } = subject;
    const keys = await redis.exists(companyKeys.position(companyId), companyKeys.log(companyId));
    return new Set(keys > 0 ? [companyId] : []);
  }
  const found = await findInLogs(deps, subject.appointmentId, kept);
  for (const companyId of found) kept.companyIds.add(companyId);
  // A dashboard may show it, and no deletion would be found any more.
  return new Set([...found, ...kept.orderTokens.map(({ companyId }) => companyId)]);
}

/** Keys of order tokens in groups that lie in one slot of a Cluster. */
function byCompany({ orderTokens }: Kept): string[][] {
  const keys = new Map<Id, string[]>();
  for (const { companyId, key } of orderTokens) {
    const own = keys.get(companyId);
    if (own) own.push(key);
    else keys.set(companyId, [key]);
  }
  return [...keys.values()];
}

const sumOf = (counts: ErasedCounts): number => PLACES.reduce((sum, place) => sum + counts[place], 0);
const countMembers = (found: readonly Entries[]): number =>
  found.reduce((sum, { members }) => sum + members.length, 0);
