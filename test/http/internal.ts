import { expect } from '@jest/globals';
import request, { type Test } from 'supertest';
import { API_KEY } from '../harness/world.ts';

export const EMISSIONS = '/api/v1/internal/socket';

/** One of the internal routes, with the key. */
export function post(api: { url: string }, path: string): Test {
  return request(api.url).post(`${EMISSIONS}/${path}`).set('x-api-key', API_KEY);
}

export function get(api: { url: string }, path: string): Test {
  return request(api.url).get(`${EMISSIONS}/${path}`).set('x-api-key', API_KEY);
}

/** RFC 9457, as every error is answered. */
export function problemOf(status: number, code: string, more: Record<string, unknown> = {}) {
  return {
    type: 'about:blank',
    title: expect.any(String),
    status,
    detail: expect.any(String),
    success: false,
    code,
    error: { code, message: expect.any(String) },
    ...more,
  };
}
