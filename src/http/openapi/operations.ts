import { z } from 'zod';
import { EVENT_SLUGS } from '../../contracts/events.ts';
import type { ErrorCode } from '../../errors.ts';
import { ADMIN_API_PATH } from '../admin-routes.ts';
import { EMISSIONS_PATH } from '../emission-routes.ts';
import { appointmentList, givenId } from './appointment-schemas.ts';
import * as emissions from './emission-schemas.ts';
import * as operator from './operator-schemas.ts';

export type Security = 'internalKey' | 'dashboardToken' | 'operator';

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description: string;
  schema: z.ZodType;
}

/** One route, as the document tells it. */
export interface Operation {
  method: 'get' | 'post';
  /** With `{parameters}`. */
  path: string;
  id: string;
  tag: string;
  summary: string;
  description?: string;
  security?: Security;
  parameters?: Parameter[];
  body?: z.ZodType;
  /** Answers that are no problem, by status; a string is text. */
  answers: Record<number, { description: string; schema: z.ZodType | 'text/plain' | 'text/html' }>;
  errors: ErrorCode[];
}

const KEY: ErrorCode[] = ['API_KEY_MISSING', 'API_KEY_WRONG'];
const BODY: ErrorCode[] = [
  'MALFORMED_JSON',
  'INVALID_REQUEST',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
];
const ACCEPTING: ErrorCode[] = [
  ...KEY,
  ...BODY,
  'INVALID_IDEMPOTENCY_KEY',
  'IDEMPOTENCY_IN_PROGRESS',
  'IDEMPOTENCY_KEY_REUSED',
  'RATE_LIMITED',
  'DATABASE_ERROR',
  'QUEUE_UNAVAILABLE',
  'QUEUE_FULL',
];
const ADMIN: ErrorCode[] = ['ADMIN_AUTH_REQUIRED', 'QUEUE_UNAVAILABLE'];
const REPAIR: ErrorCode[] = [...ADMIN, ...BODY, 'ADMIN_READ_ONLY', 'CROSS_ORIGIN'];

const idempotencyKey: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Up to 255 visible ASCII characters. A repetition with the same body gives the same emission ids.',
  schema: z.string(),
};
const traceparent: Parameter = {
  name: 'traceparent',
  in: 'header',
  description: 'W3C Trace Context: kept with the emission and logged.',
  schema: z.string(),
};

const ONE_EMISSION = Object.entries(EVENT_SLUGS).map(([slug, event]): Operation => ({
  method: 'post',
  path: `${EMISSIONS_PATH}/${slug}`,
  id: slug.replace(/-(.)/, (_, letter: string) => letter.toUpperCase()),
  tag: 'Emissions',
  summary: `Emit ${event}`,
  description: 'Loads the appointment, fully populated, and tells every dashboard of its company.',
  security: 'internalKey',
  parameters: [idempotencyKey, traceparent],
  body: emissions.singleRequest,
  answers: {
    202: {
      description: 'Accepted: it will be published, or stand among the failed.',
      schema: emissions.acceptedReply,
    },
  },
  errors: [...ACCEPTING, 'INVALID_APPOINTMENT_ID', 'APPOINTMENT_NOT_FOUND'],
}));

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

const health = (path: string, id: string, summary: string, schema: z.ZodType, red: string): Operation => ({
  method: 'get',
  path,
  id,
  tag: 'Health',
  summary,
  answers: { 200: { description: 'It is.', schema }, 503: { description: red, schema } },
  errors: [],
});

export const OPERATIONS: readonly Operation[] = [
  ...ONE_EMISSION,
  {
    method: 'post',
    path: `${EMISSIONS_PATH}/batch`,
    id: 'emitBatch',
    tag: 'Emissions',
    summary: 'Emit up to 1,000 events',
    description: 'They stand behind live ones. All rejected is 202 too: look at `results`.',
    security: 'internalKey',
    parameters: [idempotencyKey, traceparent],
    body: emissions.batchRequest,
    answers: { 202: { description: 'Each item for itself.', schema: emissions.batchReply } },
    errors: ACCEPTING,
  },
  {
    method: 'get',
    path: `${EMISSIONS_PATH}/emissions/{emissionId}`,
    id: 'readEmission',
    tag: 'Emissions',
    summary: "One emission's life",
    security: 'internalKey',
    parameters: [
      {
        name: 'emissionId',
        in: 'path',
        required: true,
        description: 'As the 202 told it.',
        schema: z.string(),
      },
    ],
    answers: { 200: { description: 'Its timeline.', schema: emissions.timelineReply } },
    errors: [...KEY, 'EMISSION_NOT_FOUND', 'QUEUE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: `${EMISSIONS_PATH}/emissions`,
    id: 'readEmissions',
    tag: 'Emissions',
    summary: 'The last emissions of an appointment',
    security: 'internalKey',
    parameters: [
      { name: 'appointmentId', in: 'query', required: true, description: 'Whose.', schema: givenId },
    ],
    answers: { 200: { description: 'Their timelines.', schema: emissions.timelinesReply } },
    errors: [...KEY, 'INVALID_APPOINTMENT_ID', 'EMISSION_NOT_FOUND', 'QUEUE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/api/v1/dashboard/appointments',
    id: 'listAppointments',
    tag: 'Dashboards',
    summary: "A company's appointments, and the place to connect with",
    security: 'dashboardToken',
    parameters: [
      { name: 'from', in: 'query', description: 'ISO 8601; a week ago without it.', schema: z.string() },
      { name: 'to', in: 'query', description: 'ISO 8601, at most 62 days later.', schema: z.string() },
    ],
    answers: { 200: { description: 'With `from ≤ start < to`, by start.', schema: appointmentList } },
    errors: ['TOKEN_INVALID', 'INVALID_RANGE', 'RATE_LIMITED', 'DATABASE_ERROR', 'QUEUE_UNAVAILABLE'],
  },
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
