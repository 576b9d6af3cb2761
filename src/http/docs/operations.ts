import { z } from 'zod';
import { appointmentList } from './appointment-schemas.ts';
import { EMISSION_OPERATIONS } from './emission-operations.ts';
import type { Operation } from './operation.ts';
import { OPERATOR_OPERATIONS } from './operator-operations.ts';
import * as operator from './operator-schemas.ts';

const health = (path: string, id: string, summary: string, schema: z.ZodType, red: string): Operation => ({
  method: 'get',
  path,
  id,
  tag: 'Health',
  summary,
  answers: { 200: { description: 'It is.', schema }, 503: { description: red, schema } },
  errors: [],
});

/** Every route that is documented, in the order of the document. */
export const OPERATIONS: readonly Operation[] = [
  ...EMISSION_OPERATIONS,
  {
    method: 'get',
    path: '/api/v1/dashboard/appointments',
    id: 'listAppointments',
    tag: 'Dashboards',
    summary: "A company's appointments, and the place to connect with",
    security: 'dashboardToken',
    parameters: [
      {
        name: 'from',
        in: 'query',
        description: 'ISO 8601, 1970 to 9999; a week ago without it.',
        schema: z.string(),
      },
      { name: 'to', in: 'query', description: 'ISO 8601, at most 62 days later.', schema: z.string() },
    ],
    answers: { 200: { description: 'With `from ≤ start < to`, by start.', schema: appointmentList } },
    errors: ['TOKEN_INVALID', 'INVALID_RANGE', 'RATE_LIMITED', 'DATABASE_ERROR', 'QUEUE_UNAVAILABLE'],
  },
  ...OPERATOR_OPERATIONS,
  health(
    '/livez',
    'isAlive',
    'Whether this process gets on with its work',
    operator.aliveReply,
    'It is stuck: restart it.',
  ),
  health('/readyz', 'isReady', 'Whether it may be sent requests', operator.readyReply, 'Not now.'),
  health('/health', 'readHealth', 'As /readyz, with detail and warnings', operator.healthReply, 'Not ready.'),
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
