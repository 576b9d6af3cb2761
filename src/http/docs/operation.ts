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
  answers: Record<
    number,
    { description: string; schema: z.ZodType | 'text/plain' | 'text/html'; headers?: Record<string, string> }
  >;
  errors: ErrorCode[];
}

/** What a route with the bot's key, and one with a body, may answer. */
export const KEY: ErrorCode[] = ['API_KEY_MISSING', 'API_KEY_WRONG'];
export const BODY: ErrorCode[] = [
  'MALFORMED_JSON',
  'INVALID_REQUEST',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
];
