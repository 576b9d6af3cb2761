import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { Express, RequestHandler } from 'express';
import { isolate } from '@appointment-emissions/contracts';

export const BULL_BOARD_PATH = '/admin/queues';

const KEPT = 'One job is one emission. Completed ones are kept for a day, failed ones for 14 days.';

/** What Bull Board hands to a formatter of names. */
interface BoardJob {
  name?: string;
  data?: { appointmentId?: unknown; companyId?: unknown } | null;
  attemptsMade?: number;
  opts?: { attempts?: number };
}

/** The queues of a shard. */
interface BoardShard {
  index: number;
  live: Queue;
  bulk: Queue;
}

/** The operator's page over the queues, also over those that are opened later. Without `writes` the server itself refuses every change. */
export function createBullBoardRoutes(
  eachShard: (use: (shard: BoardShard) => void) => void,
  { writes, basePath = '' }: { writes: boolean; basePath?: string | undefined },
): RequestHandler {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(`${basePath}${BULL_BOARD_PATH}`);
  const show = (queue: Queue, of: string): BullMQAdapter => {
    const adapter = new BullMQAdapter(queue, { readOnlyMode: !writes, description: `${of} ${KEPT}` });
    adapter.setFormatter('name', jobTitle);
    return adapter;
  };
  const { addQueue } = createBullBoard({
    queues: [],
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Appointment emissions' } },
  });
  eachShard(({ index, live, bulk }) => {
    const of = index === 0 ? '' : ` of shard ${index}`;
    addQueue(show(live, `Live queue${of}: single emissions.`));
    addQueue(
      show(bulk, `Bulk queue${of}: batches, repairs and the sweep. Live emissions do not wait for them.`),
    );
  });
  // A separate Express application with default settings.
  const board = serverAdapter.getRouter() as Express;
  board.disable('x-powered-by');
  return board;
}

/** A job's headline: event, appointment, company, attempts. */
function jobTitle({ name = '', data, attemptsMade = 0, opts }: BoardJob): string {
  const { appointmentId, companyId } = data ?? {};
  if (typeof appointmentId !== 'string' || typeof companyId !== 'string') return name;
  const attempts = `${attemptsMade} of ${opts?.attempts ?? 1} attempts`;
  return `${isolate(name)} · appointment ${isolate(appointmentId)} · company ${isolate(companyId)} · ${attempts}`;
}
