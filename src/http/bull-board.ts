import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { RequestHandler } from 'express';

export const BULL_BOARD_PATH = '/admin/queues';

/** The operator's page over the queue. Without `writes` the server itself refuses every change. */
export function createBullBoardRoutes(queue: Queue, { writes }: { writes: boolean }): RequestHandler {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(BULL_BOARD_PATH);
  createBullBoard({
    queues: [new BullMQAdapter(queue, { readOnlyMode: !writes })],
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Appointment emissions' } },
  });
  return serverAdapter.getRouter() as RequestHandler;
}
