import { z } from 'zod';
import { appointmentList } from './appointment-schemas.ts';
import { EMISSION_OPERATIONS } from './emission-operations.ts';
import type { Operation } from './operation.ts';
import { OPERATOR_OPERATIONS } from './operator-operations.ts';
import * as operator from './operator-schemas.ts';

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
