import { type Added, itemsOf, type Reply } from './request.ts';
import type { Job, RequestState, World } from './world.ts';

/** Statuses of the answers that a request with a key may get. */
const STATUSES = [202, 404, 409, 422, 500, 503];
/** How long another request with the key is refused while one works. */
export const IN_PROGRESS_MS = 3_000;

/** Checks a job before it is added to the queue. */
export function checkAdded(world: World, { id, item }: Added, nonce: string): string | undefined {
  const same = world.jobs.find((job) => job.id === id);
  if (same?.isTrimmed) return 'an emission that is recorded as added is added again';
  if (same && same.item !== item) return 'an emission has the id of another body: the queue ignores it';
  if (same && same.nonce !== nonce)
    return 'an emission has the id of an earlier life of the key: the queue ignores it';
  const isTwice = world.jobs.some((job) => isOtherEmission(world, job, { item, nonce }));
  return isTwice ? 'one key gives two emissions within its life' : undefined;
}

function isOtherEmission({ nonces }: World, job: Job, { item, nonce }: Pick<Job, 'item' | 'nonce'>): boolean {
  return job.item === item && job.nonce !== nonce && nonces[job.nonce] === nonces[nonce];
}

/** Checks a request that has got the key. */
export function checkTaken({ requests, nowMs, hasClockJumped, nonces, life }: World): string | undefined {
  const working = requests.filter(
    ({ workingSince, nonce = '' }) =>
      workingSince !== undefined && nowMs < workingSince + IN_PROGRESS_MS && nonces[nonce] === life,
  );
  const isTwice = working.length > 1 && !hasClockJumped;
  return isTwice ? 'two requests with one key work at the same time' : undefined;
}

/** Checks the answer to a request. */
export function checkReply(world: World, request: RequestState, reply: Reply): string | undefined {
  if (!STATUSES.includes(reply.status)) return `a request gets the status ${reply.status}`;
  if (reply.status !== 202) return undefined;
  if (request.mustBeRefused) return 'a request with another body than the recorded one is accepted';
  const items = itemsOf(request.body);
  for (const [index, id] of reply.ids.entries()) {
    const job = world.jobs.find((added) => added.id === id);
    if (!job && !world.lost.includes(id))
      return 'a request is accepted, but its emission is not in the queue';
    if (job && job.item !== items[index]) return 'a request gets the answer of another body';
  }
  const other = world.requests.find(
    (earlier) =>
      earlier.reply?.status === 202 && earlier.body === request.body && isSameLife(world, earlier, request),
  );
  const isSame = !other || JSON.stringify(other.reply?.ids) === JSON.stringify(reply.ids);
  return isSame ? undefined : 'a repetition gets another emission id';
}

function isSameLife({ nonces }: World, a: RequestState, b: RequestState): boolean {
  return nonces[a.nonce ?? ''] === nonces[b.nonce ?? ''];
}
