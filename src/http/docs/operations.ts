import type { Request } from 'express';
import { z } from 'zod';
import { ERROR_CODES } from '../../errors.ts';
import { appointmentList } from './appointment-schemas.ts';
import { EMISSION_OPERATIONS } from './emission-operations.ts';
import type { Operation } from './operation.ts';
import { OPERATOR_OPERATIONS } from './operator-operations.ts';
import * as operator from './operator-schemas.ts';
import { BULL_BOARD_PATH } from '../routes/bull-board.ts';
import { EMISSIONS_PATH } from '../routes/emission-routes.ts';

/** @param descriptions  those of the replies 200 and 503 */
const health = (
  path: string,
  id: string,
  summary: string,
  schema: z.ZodType,
  [ok, unavailable]: readonly [string, string],
): Operation => ({
  method: 'get',
  path,
  id,
  tag: 'Health',
  summary,
  replies: { 200: { description: ok, schema }, 503: { description: unavailable, schema } },
  errors: [],
});

const jsonDocument = (path: string, id: string, summary: string, description: string): Operation => ({
  method: 'get',
  path,
  id,
  tag: 'Documents',
  summary,
  replies: { 200: { description, schema: z.looseObject({}) } },
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
    summary: 'List the appointments that the token may see, with the stream position to connect with',
    security: 'dashboardToken',
    parameters: [
      {
        name: 'from',
        in: 'query',
        description: 'ISO 8601, from 1970 to 9999. Default: one week ago.',
        schema: z.string(),
      },
      {
        name: 'to',
        in: 'query',
        description: 'ISO 8601, at most 62 days after `from`. Default: 8 days after today, or after `from`.',
        schema: z.string(),
      },
    ],
    example: { query: { from: '2026-11-23', to: '2026-11-30' } },
    replies: {
      200: {
        description: 'The appointments with `from ≤ start < to`, ordered by `start`.',
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
      'TOKEN_KEYS_UNAVAILABLE',
    ],
  },
  ...OPERATOR_OPERATIONS,
  health('/livez', 'isAlive', 'Check whether this process makes progress', operator.aliveReply, [
    'The process makes progress.',
    'The process is stuck. Restart it.',
  ]),
  health('/readyz', 'isReady', 'Check whether this process can take requests', operator.readyReply, [
    'Ready.',
    'Not ready: `checks` names the cause.',
  ]),
  health('/health', 'readHealth', 'Read readiness with details and warnings', operator.healthReply, [
    'Ready. `warnings` lists further problems.',
    'Not ready: `checks` explains the cause.',
  ]),
  jsonDocument('/openapi.json', 'readOpenApi', 'Read this document', 'OpenAPI 3.1.'),
  jsonDocument('/asyncapi.json', 'readAsyncApi', 'Read the document of the socket events', 'AsyncAPI 3.0.'),
  {
    method: 'get',
    path: '/docs',
    id: 'readDocs',
    tag: 'Documents',
    summary: 'Open this document as a page',
    replies: { 200: { description: 'HTML.', schema: 'text/html' } },
    errors: [],
  },
];

/** The documented routes with each of their server errors. */
export function listServerErrors(): { route: string; status: number }[] {
  return OPERATIONS.flatMap(({ path, replies, errors }) => {
    const statuses = [...Object.keys(replies).map(Number), ...errors.map((code) => ERROR_CODES[code])];
    return [...new Set(statuses)]
      .filter((status) => status >= 500)
      .map((status) => ({ route: path, status }));
  });
}

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
