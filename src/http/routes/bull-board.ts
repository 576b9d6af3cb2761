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

/** The operator's page over the queues. Without `writes` the server itself refuses every change. */
export function createBullBoardRoutes(
  { live, bulk }: { live: Queue; bulk: Queue },
  { writes, basePath = '' }: { writes: boolean; basePath?: string | undefined },
): RequestHandler {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(`${basePath}${BULL_BOARD_PATH}`);
  const show = (queue: Queue, of: string): BullMQAdapter => {
    const adapter = new BullMQAdapter(queue, { readOnlyMode: !writes, description: `${of} ${KEPT}` });
    adapter.setFormatter('name', jobTitle);
    return adapter;
  };
  createBullBoard({
    queues: [
      show(live, 'Live queue: single emissions.'),
      show(bulk, 'Bulk queue: batches, repairs and the sweep. Live emissions do not wait for them.'),
    ],
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Appointment emissions' } },
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
