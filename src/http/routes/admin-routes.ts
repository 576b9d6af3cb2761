import { type RequestHandler, Router } from 'express';
import type {
  CompaniesReply,
  FailedEmission,
  FleetMetricsReading,
  OverviewReply,
  SeriesReply,
} from '@appointment-emissions/contracts';
import { AppError } from '../../errors.ts';
import { fromRedis } from '../../redis/redis-errors.ts';
import { jsonBody } from '../middleware/json-body.ts';

export const ADMIN_API_PATH = '/admin/api';

const BODY_LIMIT = 4_096;
const FAILURES_SHOWN = 20;
const ID_PREFIX = /^[0-9a-f]{0,24}$/i;

export interface AdminRoutesDeps {
  /** The fleet's metrics now. */
  read: () => Promise<FleetMetricsReading>;
  /** The same over the last hour, for charts. */
  series: () => Promise<Omit<SeriesReply, 'success'>>;
  /** Those of `/health`, without what the figures say. */
  warnings: () => Promise<string[]>;
  /** The failed emissions that came last. */
  latestFailures: (limit: number) => Promise<FailedEmission[]>;
  /** Companies whose id begins with this prefix. */
  companies: (prefix: string) => Promise<Omit<CompaniesReply, 'success'>>;
  repairs: Record<'retry' | 'retryFailed' | 'reEmit' | 'disconnect', (asked: unknown) => Promise<object>>;
  /** Without it only dry runs are done. */
  writes: boolean;
  /** An operator changed something. */
  onRepair: (repair: string, report: object) => void;
}

/** What the admin page reads, and the repairs. Behind the operator's credentials, from our own origin. */
export function createAdminRoutes(deps: AdminRoutesDeps): Router {
  const { read, series, warnings, latestFailures, companies, repairs, writes, onRepair } = deps;
  const router = Router();

  const answer =
    (read: () => Promise<object>): RequestHandler =>
    async (_req, res) => {
      const found = await fromRedis(read(), 'Redis does not answer');
      res.set('Cache-Control', 'no-store').json({ success: true, ...found });
    };
  router.get(
    '/overview',
    answer(async () => {
      const [metrics, failures, warned] = await Promise.all([
        read(),
        latestFailures(FAILURES_SHOWN),
        warnings(),
      ]);
      return { writes, metrics, warnings: warned, failures } satisfies Omit<OverviewReply, 'success'>;
    }),
  );
  router.get('/series', answer(series));
  router.get('/companies', async (req, res) => {
    const { prefix = '' } = req.query;
    if (typeof prefix !== 'string' || !ID_PREFIX.test(prefix)) {
      throw new AppError('INVALID_REQUEST', 'prefix must be at most 24 hexadecimal characters');
    }
    const found = await companies(prefix);
    res.set('Cache-Control', 'no-store').json({ success: true, ...found } satisfies CompaniesReply);
  });

  const repair =
    (name: keyof typeof repairs): RequestHandler =>
    async (req, res) => {
      const asked = req.body as { dryRun?: unknown };
      if (!writes && asked.dryRun !== true) {
        throw new AppError(
          'ADMIN_READ_ONLY',
          'set ADMIN_WRITES=on to allow repairs; a dry run is always allowed',
        );
      }
      const report = await repairs[name](asked);
      if (asked.dryRun !== true) onRepair(name, report);
      res.json({ success: true, ...report });
    };
  router.post('/retry', ...jsonBody(BODY_LIMIT), repair('retry'));
  router.post('/retry-failed', ...jsonBody(BODY_LIMIT), repair('retryFailed'));
  router.post('/re-emit', ...jsonBody(BODY_LIMIT), repair('reEmit'));
  router.post('/disconnect', ...jsonBody(BODY_LIMIT), repair('disconnect'));
  return router;
}
