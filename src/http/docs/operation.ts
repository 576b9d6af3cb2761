import type { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';

export type Security = 'internalKey' | 'dashboardToken' | 'operator';

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description: string;
  schema: z.ZodType;
}

/** A reply that is not a problem. */
export interface DocumentedReply {
  description: string;
  /** A string is a content type of text. */
  schema: z.ZodType | 'text/plain' | 'text/html';
  /** Descriptions of its headers, by name. */
  headers?: Record<string, string>;
}

/** What the operation's example sends. */
export interface ExampleRequest {
  path?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
}

/** A route of the OpenAPI document. */
export interface Operation {
  method: 'get' | 'post';
  /** With `{parameters}`. */
  path: string;
  id: string;
  tag: keyof typeof TAGS;
  summary: string;
  description?: string;
  security?: Security;
  parameters?: Parameter[];
  body?: z.ZodType;
  example?: ExampleRequest;
  /** By status. */
  replies: Record<number, DocumentedReply>;
  /** Errors that clients must expect. Any operation can also fail with `INTERNAL_ERROR`. */
  errors: ErrorCode[];
}

/** Tags of the document, with their descriptions. */
export const TAGS = {
  Emissions: 'Announce changes of appointments, and follow each emission. For the bot and other services.',
  Dashboards: 'What a dashboard loads before it receives the socket events of `/asyncapi.json`.',
  Operators: 'Metrics, and the routes of the page `/admin`.',
  Health: 'For load balancers and process managers. These routes need no credentials.',
  Documents: 'The documentation of the interfaces. These routes need no credentials.',
};

/** Errors of routes that need the internal key. */
export const KEY: ErrorCode[] = ['API_KEY_MISSING', 'API_KEY_WRONG', 'RATE_LIMITED'];
/** Errors of routes with a body. */
export const BODY: ErrorCode[] = [
  'MALFORMED_JSON',
  'INVALID_REQUEST',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
];

/** Ids and times of the examples. */
export const EXAMPLES = {
  appointmentId: '65f0c0ffee65f0c0ffee00c0',
  companyId: '65f0c0ffee65f0c0ffee00aa',
  emissionId: '3f0d5a52-8c1b-4a7e-9d57-0f2b6c1e8a94',
  userId: '65f0c0ffee65f0c0ffee00ee',
  epoch: 'Zm9vYmFyYmF6',
  instant: '2026-11-23T09:30:00.000Z',
};
