import { z } from 'zod';
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
  answers: { 200: { description: 'The emissions that were enqueued.', schema: operator.repairReply } },
  errors: REPAIR,
  ...more,
});

/** Routes for operators and monitoring. */
export const OPERATOR_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/internal/metrics',
    id: 'readMetrics',
    tag: 'Operators',
    summary: 'Counts, rates and latencies of the fleet',
    security: 'internalKey',
    answers: { 200: { description: 'Every process returns the same.', schema: operator.metricsReply } },
    errors: [...KEY, 'QUEUE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'scrape',
    tag: 'Operators',
    summary: 'Metrics of this process, for Prometheus',
    security: 'internalKey',
    answers: { 200: { description: 'Prometheus text format.', schema: 'text/plain' } },
    errors: KEY,
  },
  {
    method: 'get',
    path: `${ADMIN_API_PATH}/overview`,
    id: 'readOverview',
    tag: 'Operators',
    summary: 'The overview of the admin page',
    security: 'operator',
    answers: {
      200: { description: 'Metrics and the latest failed emissions.', schema: operator.overviewReply },
    },
    errors: ADMIN,
  },
  {
    method: 'get',
    path: `${ADMIN_API_PATH}/series`,
    id: 'readSeries',
    tag: 'Operators',
    summary: 'Metrics of the last hour, for charts',
    security: 'operator',
    answers: { 200: { description: 'One value per minute.', schema: operator.seriesReply } },
    errors: ADMIN,
  },
  {
    method: 'get',
    path: `${ADMIN_API_PATH}/companies`,
    id: 'listCompanies',
    tag: 'Operators',
    summary: 'The first 20 companies with appointments whose id begins with a prefix',
    security: 'operator',
    parameters: [
      {
        name: 'prefix',
        in: 'query',
        description: 'Up to 24 hexadecimal characters. Default: none.',
        schema: z.string(),
      },
    ],
    answers: {
      200: { description: 'Companies, in the order of their ids.', schema: operator.companiesReply },
    },
    errors: ['ADMIN_AUTH_REQUIRED', 'INVALID_REQUEST', 'DATABASE_ERROR'],
  },
  repair('retry', 'retryEmission', 'Retry one failed emission', operator.retryRequest, {
    answers: { 200: { description: 'The emission is enqueued again.', schema: operator.retryReply } },
    errors: [...REPAIR, 'EMISSION_NOT_FOUND'],
  }),
  repair(
    'retry-failed',
    'retryFailed',
    'Retry emissions that failed since a time',
    operator.retryFailedRequest,
  ),
  repair(
    're-emit',
    'reEmit',
    'Emit appointments again that were written since a time',
    operator.reEmitRequest,
    {
      errors: [...REPAIR, 'DATABASE_ERROR'],
    },
  ),
  repair(
    'disconnect',
    'disconnectDashboards',
    'Disconnect the dashboards of a user or a company on all gateways',
    operator.disconnectRequest,
    {
      answers: {
        200: { description: 'The sockets that were disconnected.', schema: operator.disconnectReply },
      },
    },
  ),
];
