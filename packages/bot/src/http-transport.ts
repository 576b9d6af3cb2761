import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isNativeError } from 'node:util/types';
import type { Answer } from './attempt-result.ts';
import type { DeliveryRequest } from './requests.ts';

/** Maximum size of a reply. The reply to a batch of 1,000 takes about 120 kB. */
const MAX_BODY_BYTES = 1_000_000;

export type HttpRequest = Pick<DeliveryRequest, 'path' | 'body' | 'idempotencyKey' | 'traceparent'>;

export interface HttpTransport {
  /** Sends one request. @throws on a network error, and if the signal is aborted */
  post(request: HttpRequest, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

interface HttpTransportOptions {
  backendUrl: URL;
  apiKey: string;
}

/**
 * Sends requests over HTTP.
 *
 * It uses node:http with its own Agent, not `fetch`. The Agent limits the connections, closes an idle one before the server does
 * (it reads `Keep-Alive: timeout`), does not keep the process alive, and can be closed. The pool of `fetch` offers none of this
 * without another package. Redirects are not followed, because the API key is meant for one host.
 */
export function createHttpTransport({ backendUrl, apiKey }: HttpTransportOptions): HttpTransport {
  const secure = backendUrl.protocol === 'https:';
  const { Agent, request } = secure ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 8 });
  const prefix = backendUrl.href.replace(/\/+$/, '');

  async function exchange(given: HttpRequest, signal: AbortSignal): Promise<Answer> {
    const { path, body, idempotencyKey, traceparent } = given;
    const sent = request(`${prefix}${path}`, {
      method: 'POST',
      agent,
      signal,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        accept: 'application/json, application/problem+json',
        'x-api-key': apiKey,
        'idempotency-key': idempotencyKey,
        ...(traceparent !== undefined && { traceparent }),
      },
    });
    // `once` handles errors until the response. Later errors are also reported by the response.
    sent.on('error', () => undefined);
    sent.end(body);
    const response = await firstResponse(sent);
    if (response === undefined) return exchange(given, signal);
    const text = await readText(response);
    return {
      status: response.statusCode ?? 0,
      body: parseJson(text),
      text,
      retryAfterMs: readRetryAfterMs(response.headers['retry-after']),
    };
  }

  return {
    post: exchange,
    close() {
      agent.destroy();
    },
  };
}

/**
 * Resolves to undefined if the server had already closed the idle connection that was used. Then the request can be repeated:
 * the Agent then uses another idle connection, or opens a new one.
 */
async function firstResponse(sent: ClientRequest): Promise<IncomingMessage | undefined> {
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  } catch (error) {
    const isStale =
      sent.reusedSocket && isNativeError(error) && 'code' in error && error.code === 'ECONNRESET';
    if (isStale) return undefined;
    throw error;
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the response and its connection.
    if (bytes > MAX_BODY_BYTES) throw new Error(`the reply is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Parses `Retry-After`: seconds or an HTTP date. Returns undefined if it is missing or invalid. */
function readRetryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  // Date.parse accepts almost anything. Only an HTTP date is the same when it is formatted again.
  const isHttpDate = !Number.isNaN(date) && new Date(date).toUTCString() === header;
  return isHttpDate ? Math.max(0, date - Date.now()) : undefined;
}
