import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isNativeError } from 'node:util/types';
import { cut } from '@appointment-emissions/contracts';
import { readRetryAfterMs } from './backoff.ts';
import type { Answer } from './attempt-result.ts';

/** A thousand results of a batch take some 120 kB; more than this is not from our backend. */
const MAX_BODY_BYTES = 1_000_000;
/** Of an answer, in code points. */
const MAX_LOGGED = 2_000;

export interface HttpTransport {
  /** One attempt. @throws on a network error, and when the signal is aborted. */
  post(path: string, body: string, idempotencyKey: string, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

interface HttpTransportOptions {
  backendUrl: URL;
  apiKey: string;
}

/**
 * node:http with an Agent of its own rather than fetch: it needs no package, keeps connections alive within a bound,
 * lets go of an idle one before the server does (it reads the server's `Keep-Alive: timeout`), does not keep the
 * process alive for idle ones, and can be closed. The global fetch's pool can't. Redirects are not followed: the key
 * is for one host.
 */
export function createHttpTransport({ backendUrl, apiKey }: HttpTransportOptions): HttpTransport {
  const secure = backendUrl.protocol === 'https:';
  const { Agent, request } = secure ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 8 });
  const prefix = backendUrl.href.replace(/\/+$/, '');

  async function exchange(
    path: string,
    body: string,
    idempotencyKey: string,
    signal: AbortSignal,
  ): Promise<Answer> {
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
      },
    });
    // once() listens until the response; an error after that comes through the response as well.
    sent.on('error', () => undefined);
    sent.end(body);
    const response = await firstResponse(sent);
    if (response === undefined) return exchange(path, body, idempotencyKey, signal);
    const text = await readText(response);
    return {
      status: response.statusCode ?? 0,
      body: parseJson(text),
      text: cut(text, MAX_LOGGED),
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

/** Undefined: the server had closed this kept connection already. The next one is another, at last a new one. */
async function firstResponse(sent: ClientRequest): Promise<IncomingMessage | undefined> {
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  } catch (error) {
    const stale = sent.reusedSocket && isNativeError(error) && 'code' in error && error.code === 'ECONNRESET';
    if (stale) return undefined;
    throw error;
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the response, and its connection with it.
    if (bytes > MAX_BODY_BYTES) throw new Error(`the answer is larger than ${MAX_BODY_BYTES} bytes`);
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
