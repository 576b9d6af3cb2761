import type { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import { ADMIN_API_PATH } from '../routes/admin-routes.ts';
import { BODY, KEY, type Operation } from './operation.ts';
import * as operator from './operator-schemas.ts';

const ADMIN: ErrorCode[] = ['ADMIN_AUTH_REQUIRED', 'QUEUE_UNAVAILABLE'];
const REPAIR: ErrorCode[] = [...ADMIN, ...BODY, 'ADMIN_READ_ONLY', 'CROSS_ORIGIN'];

const repair = (
  path: string,
  id: string,
  summary: string,
  body: z.ZodType,
  more: Partial<Operation> = {},
): Operation => ({
  method: 'post',
  path: `${ADMIN_API_PATH}/${path}`,
  id,
  tag: 'Operators',
  summary,
  security: 'operator',
  body,
  answers: { 200: { description: 'What was done.', schema: operator.repairReply } },
  errors: REPAIR,
  ...more,
});

/** What an operator, and who watches for him, reads and repairs. */
export const OPERATOR_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/internal/metrics',
    id: 'readMetrics',
    tag: 'Operators',
    summary: "The fleet's counts, rates and latencies",
    security: 'internalKey',
    answers: { 200: { description: 'The same from every process.', schema: operator.metricsReply } },
    errors: [...KEY, 'QUEUE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'scrape',
    tag: 'Operators',
    summary: "This process' metrics for Prometheus",
    security: 'internalKey',
    answers: { 200: { description: 'Text of Prometheus.', schema: 'text/plain' } },
    errors: KEY,
  },
  {
    method: 'get',
    path: `${ADMIN_API_PATH}/overview`,
    id: 'readOverview',
    tag: 'Operators',
    summary: 'What the admin page shows first',
    security: 'operator',
    answers: { 200: { description: 'Metrics, and what failed last.', schema: operator.overviewReply } },
    errors: ADMIN,
  },
  {
    method: 'get',
    path: `${ADMIN_API_PATH}/series`,
    id: 'readSeries',
    tag: 'Operators',
    summary: 'The last hour, for charts',
    security: 'operator',
    answers: { 200: { description: 'By the minute.', schema: operator.seriesReply } },
    errors: ADMIN,
  },
  repair('retry', 'retryEmission', 'Retry one failed emission', operator.retryRequest, {
    answers: { 200: { description: 'It stands in the queue again.', schema: operator.retryReply } },
    errors: [...REPAIR, 'EMISSION_NOT_FOUND'],
  }),
  repair('retry-failed', 'retryFailed', 'Retry what failed since a time', operator.retryFailedRequest),
  repair('re-emit', 'reEmit', 'Emit again what was written since a time', operator.reEmitRequest, {
    errors: [...REPAIR, 'DATABASE_ERROR'],
  }),
];
