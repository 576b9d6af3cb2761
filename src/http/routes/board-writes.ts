import type { JobType, Queue } from 'bullmq';
import type { Request } from 'express';
import { within } from '../../process/lifecycle.ts';

/**
 * What a route changes:
 * - `one`: one job, queue, limit or scheduler;
 * - `queues`: all queues;
 * - `status`: the jobs of the queue in the status that the path names;
 * - a list: the jobs of the queue in these states.
 */
type Target = 'one' | 'queues' | 'status' | readonly JobType[];

const ALL: readonly JobType[] = ['wait', 'active', 'delayed', 'prioritized', 'completed', 'failed'];

/** Bull Board's routes that change something, in its order: the first one that fits a path answers. A test compares them with Bull Board. */
export const BOARD_WRITES = {
  'PUT /api/queues/pause': 'queues',
  'PUT /api/queues/resume': 'queues',
  'POST /api/queues/:queueName/add': 'one',
  'PUT /api/queues/:queueName/retry/:queueStatus': 'status',
  'PUT /api/queues/:queueName/promote': ['delayed'],
  'PUT /api/queues/:queueName/clean/:queueStatus': 'status',
  'PUT /api/queues/:queueName/pause': 'one',
  'PUT /api/queues/:queueName/resume': 'one',
  'PUT /api/queues/:queueName/concurrency': 'one',
  'PUT /api/queues/:queueName/rate-limit': 'one',
  'PUT /api/queues/:queueName/rate-limit/release': 'one',
  'PUT /api/queues/:queueName/empty': ['wait', 'prioritized'],
  'PUT /api/queues/:queueName/obliterate': ALL,
  'PUT /api/queues/:queueName/job-schedulers/:schedulerId/remove': 'one',
  'PATCH /api/queues/:queueName/job-schedulers/:schedulerId': 'one',
  'PUT /api/queues/:queueName/job-schedulers/:schedulerId/run': 'one',
  'PUT /api/queues/:queueName/:jobId/retry': 'one',
  'PUT /api/queues/:queueName/:jobId/clean': 'one',
  'PUT /api/queues/:queueName/:jobId/promote': 'one',
  'PATCH /api/queues/:queueName/:jobId/update-data': 'one',
  'PATCH /api/queues/:queueName/:jobId/delay': 'one',
  'PATCH /api/queues/:queueName/:jobId/priority': 'one',
  'PUT /api/queues/:queueName/:jobId/remove-unprocessed-children': 'one',
} as const satisfies Record<string, Target>;

/** As Express matches a path: in any case, and with a slash at the end or without. */
const ROUTES = Object.entries<Target>(BOARD_WRITES).map(([name, target]) => {
  const [method = '', route = ''] = name.split(' ');
  const pattern = new RegExp(`^${route.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}/?$`, 'i');
  return { method, route, pattern, target };
});

/** A request that changes something on Bull Board. */
interface BoardWrite {
  /** Method and route without the ids of queue and job, such as `PUT clean/failed`. */
  action: string;
  filter: { queue?: string; job?: string };
  target: Target;
  /** Of a job, as in the path. */
  status: string;
}

/** A part of a path can be any text, so only names and ids of known form are logged. */
const WORD = /^[\w:.-]{1,200}$/;

/** @returns undefined if Bull Board has no such route */
export function findBoardWrite({ method, path }: Pick<Request, 'method' | 'path'>): BoardWrite | undefined {
  for (const { method: own, route, pattern, target } of ROUTES) {
    const match = method === own ? pattern.exec(path) : null;
    if (!match) continue;
    const params = Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([name, value]) => [name, readWord(value)]),
    );
    const { queueName: queue, jobId: job, queueStatus: status = '' } = params;
    const words = route
      .replace(/^\/api\/queues\/(:queueName\/)?(:jobId\/)?/, '')
      .replaceAll(/:(\w+)/g, (_, name: string) => params[name] ?? '');
    const filter = { ...(queue !== undefined && { queue }), ...(job !== undefined && { job }) };
    return { action: `${method} ${words}`, filter, target, status };
  }
  return undefined;
}

function readWord(encoded: string): string {
  try {
    const word = decodeURIComponent(encoded);
    return WORD.test(word) ? word : 'not valid';
  } catch {
    return 'not valid';
  }
}

/** The queues of a shard. */
interface BoardShard {
  index: number;
  live: Queue;
  bulk: Queue;
}

/** Calls back for each shard, also for those that are opened later. */
export type EachShard = (use: (shard: BoardShard) => void) => void;

/** The change does not wait longer for its number. */
const COUNT_TIMEOUT_MS = 500;

/**
 * Counts the jobs, queues or limits that a request is about to change. Resolves to `undefined` if Redis does not answer in time, or if
 * Bull Board has no such route.
 */
export function createCountBoardWrite(eachShard: EachShard) {
  const queues = new Map<string, Queue>();
  eachShard(({ live, bulk }) => {
    for (const queue of [live, bulk]) queues.set(queue.name, queue);
  });
  return async (req: Pick<Request, 'method' | 'path'>): Promise<number | undefined> => {
    const write = findBoardWrite(req);
    if (!write) return undefined;
    const { target, filter, status } = write;
    if (target === 'one') return 1;
    if (target === 'queues') return queues.size;
    const queue = queues.get(filter.queue ?? '');
    const states = target === 'status' ? STATES.get(status) : target;
    if (!queue || !states) return 0;
    const count = queue.getJobCountByTypes(...states);
    return within(COUNT_TIMEOUT_MS, 'counting jobs', count).catch(() => undefined);
  };
}

/** States by the names that a path can have for them. */
const STATES = new Map<string, readonly JobType[]>([
  ['waiting', ['wait']],
  ...ALL.map((state): [string, readonly JobType[]] => [state, [state]]),
]);
