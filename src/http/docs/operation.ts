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

/** A route of the OpenAPI document. */
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
  /** Replies other than problems, by status. A string is a content type of text. */
  answers: Record<
    number,
    { description: string; schema: z.ZodType | 'text/plain' | 'text/html'; headers?: Record<string, string> }
  >;
  errors: ErrorCode[];
}

/** Errors of routes that need the internal key, and of routes with a body. */
export const KEY: ErrorCode[] = ['API_KEY_MISSING', 'API_KEY_WRONG'];
export const BODY: ErrorCode[] = [
  'MALFORMED_JSON',
  'INVALID_REQUEST',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
];
