import type { Request } from 'express';
import { z } from 'zod';
import { appointmentList } from './appointment-schemas.ts';
import { EMISSION_OPERATIONS } from './emission-operations.ts';
import type { Operation } from './operation.ts';
import { OPERATOR_OPERATIONS } from './operator-operations.ts';
import * as operator from './operator-schemas.ts';
import { BULL_BOARD_PATH } from '../routes/bull-board.ts';
import { EMISSIONS_PATH } from '../routes/emission-routes.ts';

/** @param descriptions  those of the answers 200 and 503 */
const health = (
  path: string,
  id: string,
  summary: string,
  schema: z.ZodType,
  [green, red]: readonly [string, string],
): Operation => ({
  method: 'get',
  path,
  id,
  tag: 'Health',
  summary,
  answers: { 200: { description: green, schema }, 503: { description: red, schema } },
  errors: [],
});

/** All documented routes, in the order of the document. */
export const OPERATIONS: readonly Operation[] = [
  ...EMISSION_OPERATIONS,
  {
    method: 'get',
    path: '/api/v1/dashboard/appointments',
    id: 'listAppointments',
    tag: 'Dashboards',
    summary: 'Appointments of a company in the scope of the token, and the stream position to connect with',
    security: 'dashboardToken',
    parameters: [
      {
        name: 'from',
        in: 'query',
        description: 'ISO 8601, 1970 to 9999. Default: one week ago.',
        schema: z.string(),
      },
      {
        name: 'to',
        in: 'query',
        description: 'ISO 8601, at most 62 days after `from`. Default: in one week.',
        schema: z.string(),
      },
    ],
    answers: {
      200: {
        description: 'Appointments with `from ≤ start < to`, in the order of `start`.',
        schema: appointmentList,
      },
    },
    errors: [
      'TOKEN_INVALID',
      'SCOPE_INVALID',
      'INVALID_RANGE',
      'RATE_LIMITED',
      'DATABASE_ERROR',
      'QUEUE_UNAVAILABLE',
    ],
  },
  ...OPERATOR_OPERATIONS,
  health('/livez', 'isAlive', 'Whether this process makes progress', operator.aliveReply, [
    'The process makes progress.',
    'The process is stuck. Restart it.',
  ]),
  health('/readyz', 'isReady', 'Whether this process can take requests', operator.readyReply, [
    'Ready.',
    'Not ready; `checks` has the reason.',
  ]),
  health('/health', 'readHealth', 'Readiness with details and warnings', operator.healthReply, [
    'Ready; see `warnings`.',
    'Not ready.',
  ]),
  {
    method: 'get',
    path: '/openapi.json',
    id: 'readOpenApi',
    tag: 'Documents',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
    errors: [],
  },
  {
    method: 'get',
    path: '/asyncapi.json',
    id: 'readAsyncApi',
    tag: 'Documents',
    summary: 'The socket events',
    answers: { 200: { description: 'AsyncAPI 3.0.', schema: z.looseObject({ asyncapi: z.string() }) } },
    errors: [],
  },
  {
    method: 'get',
    path: '/docs',
    id: 'readDocs',
    tag: 'Documents',
    summary: 'This document as a page',
    answers: { 200: { description: 'HTML.', schema: 'text/html' } },
    errors: [],
  },
];

/**
 * Returns a function that names the documented route of a request, for metrics: `/api/v1/internal/socket/batch`, also if the
 * request was refused before it reached its route. Every other path, such as that of a page, is `other`, so that callers cannot
 * make new names.
 */
export function createNameRoute(): (req: Request) => string {
  const timeline = `${EMISSIONS_PATH}/emissions/{emissionId}`;
  const timelinePath = new RegExp(`${EMISSIONS_PATH}/emissions/[^/]+$`);
  const routes = [...OPERATIONS.map(({ path }) => path), BULL_BOARD_PATH];
  const byPath = new Map(routes.map((path) => [path.toLowerCase(), path]));

  return ({ originalUrl, route }) => {
    const path = originalUrl.split('?', 1)[0]?.toLowerCase().replace(/\/$/, '') ?? '';
    const exact = byPath.get(path);
    if (exact !== undefined) return exact;
    if (timelinePath.test(path)) return timeline;
    if (path.startsWith(`${BULL_BOARD_PATH}/`)) return BULL_BOARD_PATH;
    // Below BASE_PATH, or the path where an application mounts our routers.
    if (route !== undefined) for (const [known, name] of byPath) if (path.endsWith(known)) return name;
    return 'other';
  };
}
