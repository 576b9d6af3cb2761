import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import { ADMIN_API_PATH } from '../routes/admin-routes.ts';
import { BODY, EXAMPLES, KEY, type Operation } from './operation.ts';
import * as operator from './operator-schemas.ts';

const ADMIN: ErrorCode[] = ['ADMIN_AUTH_REQUIRED', 'RATE_LIMITED', 'QUEUE_UNAVAILABLE'];
const REPAIR: ErrorCode[] = [...ADMIN, ...BODY, 'ADMIN_READ_ONLY', 'CROSS_ORIGIN'];

const repair = (
  path: string,
  id: string,
  summary: string,
  { body, example }: { body: z.ZodType; example: unknown },
  more: Partial<Operation> = {},
): Operation => ({
  method: 'post',
  path: `${ADMIN_API_PATH}/${path}`,
  id,
  tag: 'Operators',
  summary,
  security: 'operator',
  body,
  example: { body: example },
  replies: {
    200: { description: 'The emissions that were enqueued, or would be.', schema: operator.repairReply },
  },
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
    summary: 'Read counts, rates and latencies of the fleet',
    security: 'internalKey',
    replies: {
      200: {
        description: 'Metrics of all processes; each process replies with the same.',
        schema: operator.metricsReply,
      },
    },
    errors: [...KEY, 'QUEUE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'scrape',
    tag: 'Operators',
    summary: 'Read the metrics of this process, for Prometheus',
    description: 'The same metrics are on the port METRICS_PORT, without a key.',
    security: 'internalKey',
    replies: { 200: { description: 'Prometheus text format.', schema: 'text/plain' } },
    errors: KEY,
  },
  {
    method: 'get',
    path: `${ADMIN_API_PATH}/overview`,
    id: 'readOverview',
    tag: 'Operators',
    summary: 'Read metrics, warnings and the latest failed emissions',
    security: 'operator',
    replies: {
      200: { description: 'What the page `/admin` shows first.', schema: operator.overviewReply },
    },
    errors: ADMIN,
  },
  {
    method: 'get',
    path: `${ADMIN_API_PATH}/series`,
    id: 'readSeries',
    tag: 'Operators',
    summary: 'Read the metrics of the last hour',
    security: 'operator',
    replies: { 200: { description: 'One value per minute.', schema: operator.seriesReply } },
    errors: ADMIN,
  },
  {
    method: 'get',
    path: `${ADMIN_API_PATH}/companies`,
    id: 'listCompanies',
    tag: 'Operators',
    summary: 'List the first 20 companies with appointments whose id begins with a prefix',
    security: 'operator',
    parameters: [
      {
        name: 'prefix',
        in: 'query',
        description: 'Up to 24 hexadecimal characters. Default: all companies.',
        schema: z.string().regex(/^[0-9a-fA-F]{0,24}$/),
      },
    ],
    example: { query: { prefix: '65f0' } },
    replies: {
      200: { description: 'Companies, in the order of their ids.', schema: operator.companiesReply },
    },
    errors: ['ADMIN_AUTH_REQUIRED', 'RATE_LIMITED', 'INVALID_REQUEST', 'DATABASE_ERROR'],
  },
  repair(
    'retry',
    'retryEmission',
    'Retry a failed emission',
    { body: operator.retryRequest, example: { emissionId: EXAMPLES.emissionId } },
    {
      replies: { 200: { description: 'The emission is enqueued again.', schema: operator.retryReply } },
      errors: [...REPAIR, 'EMISSION_NOT_FOUND'],
    },
  ),
  repair('retry-failed', 'retryFailed', 'Retry the emissions that failed since a time', {
    body: operator.retryFailedRequest,
    example: { since: '2h', dryRun: true },
  }),
  repair(
    're-emit',
    'reEmit',
    'Emit the appointments again that were written since a time',
    { body: operator.reEmitRequest, example: { companyId: EXAMPLES.companyId, since: '2h', dryRun: true } },
    { errors: [...REPAIR, 'DATABASE_ERROR'] },
  ),
  repair(
    'disconnect',
    'disconnectDashboards',
    'Disconnect the dashboards of a user or a company on all gateways',
    { body: operator.disconnectRequest, example: { userId: EXAMPLES.userId, dryRun: true } },
    {
      replies: {
        200: {
          description: 'The number of sockets that were disconnected, or would be.',
          schema: operator.disconnectReply,
        },
      },
    },
  ),
];
