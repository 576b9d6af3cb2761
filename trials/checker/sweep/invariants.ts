import type { Id } from '@appointment-emissions/contracts';
import { orderKey, WATERMARK_KEY } from './sweeper.ts';
import type { Job, World } from './world.ts';

/** The overlap of consecutive sweeps: a row whose `updatedAt` is later than this is read again. */
const OVERLAP_MS = 5 * 60_000;

/** Whether the last write of an appointment is published, or a job will publish it. */
function isAnnounced({ jobs, ...world }: World, id: Id): boolean {
  return isPublished(world, id) || jobs.some(({ appointmentId }) => appointmentId === id);
}

export function isPublished({ keyspace, rows }: Pick<World, 'keyspace' | 'rows'>, id: Id): boolean {
  const order = keyspace[orderKey(id)];
  return order !== undefined && 'hash' in order && order.hash['updatedAt'] === String(rows[id]);
}

/** Whether the watermark has passed a row: no sweep reads it again, but the walk over the last day. */
export function isPassed({ keyspace }: World, id: Id, updatedAt: number): boolean {
  const saved = keyspace[WATERMARK_KEY];
  if (!saved || !('hash' in saved)) return false;
  const { updatedAt: mark = '', appointmentId = '', caughtUp } = saved.hash;
  if (caughtUp === '1') return updatedAt < Number(mark) - OVERLAP_MS;
  return updatedAt < Number(mark) || (updatedAt === Number(mark) && id <= appointmentId);
}

/** Checks a watermark that was just saved. */
export function checkWatermark(world: World): string | undefined {
  const missed = Object.entries(world.rows).find(
    ([id, updatedAt]) =>
      isPassed(world, id, updatedAt) && !world.late.includes(id) && !isAnnounced(world, id),
  );
  return missed && `the watermark passes appointment ${missed[0].slice(-1)}, which was not announced`;
}

/** Checks jobs before they are added to the queue. */
export function checkAdded({ jobs, ended, rows }: World, added: readonly Job[]): string | undefined {
  const known = new Set([...jobs, ...ended].map(({ id }) => id));
  const idOf = (one: Job): string | undefined =>
    jobs.find(
      ({ id, appointmentId }) =>
        appointmentId === one.appointmentId && id !== one.id && id.includes(String(rows[appointmentId])),
    )?.id;
  return added.some(
    (one) =>
      !known.has(one.id) && idOf(one) !== undefined && one.id.includes(String(rows[one.appointmentId])),
  )
    ? 'one write gets two jobs'
    : undefined;
}
