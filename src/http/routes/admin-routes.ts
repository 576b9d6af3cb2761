import { type RequestHandler, type Response, Router } from 'express';
import type {
  CompaniesReply,
  FailedEmission,
  FleetMetricsReading,
  OverviewReply,
  SeriesReply,
} from '@appointment-emissions/contracts';
import { AppError } from '../../errors.ts';
import type { Audit } from '../../process/audit.ts';
import { fromRedis } from '../../redis/redis-errors.ts';
import { auditRepair } from '../middleware/audit-changes.ts';
import { operatorOf, requireRepairRole } from '../middleware/basic-auth.ts';
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
  repairs: Record<'retry' | 'retryFailed' | 'reEmit' | 'disconnect', (request: unknown) => Promise<object>>;
  /** Writes the audit line of each repair and dry run. */
  audit: Audit;
}

/** What the admin page reads, and the repairs. Behind the operator's credentials, from our own origin. */
export function createAdminRoutes(deps: AdminRoutesDeps): Router {
  const { read, series, warnings, latestFailures, companies, repairs, audit } = deps;
  const router = Router();

  const answer =
    (read: (res: Response) => Promise<object>): RequestHandler =>
    async (_req, res) => {
      const found = await fromRedis(read(res), 'Redis does not answer');
      res.set('Cache-Control', 'no-store').json({ success: true, ...found });
    };
  router.get(
    '/overview',
    answer(async (res) => {
      const operator = operatorOf(res);
      const [metrics, failures, warned] = await Promise.all([
        read(),
        latestFailures(FAILURES_SHOWN),
        warnings(),
      ]);
      const writes = operator.role === 'repair';
      return { operator, writes, metrics, warnings: warned, failures } satisfies Omit<
        OverviewReply,
        'success'
      >;
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

  const addRepair = (action: string, repair: (request: unknown) => Promise<object>): void => {
    router.post(`/${action}`, ...jsonBody(BODY_LIMIT), async (req, res) => {
      const request = req.body as { dryRun?: unknown };
      const report = await auditRepair(audit, { action, req, res }, async () => {
        if (request.dryRun !== true) requireRepairRole(res, '; a dry run is always allowed');
        return repair(request);
      });
      res.json({ success: true, ...report });
    });
  };
  addRepair('retry', (request) => repairs.retry(request));
  addRepair('retry-failed', (request) => repairs.retryFailed(request));
  addRepair('re-emit', (request) => repairs.reEmit(request));
  addRepair('disconnect', (request) => repairs.disconnect(request));
  return router;
}
