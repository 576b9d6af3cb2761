import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { createServerFactory } from './protocol.ts';
import type { McpTools } from './tools.ts';

const PATH = '/mcp';
const MAX_BODY_BYTES = 65_536;
const MAX_CONNECTIONS = 200;
/** How long a request may take to arrive. */
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 2_000 };
/** Requests that are not answered in this time after `close` are cut off. */
const CLOSE_WITHIN_MS = 3_000;
const BEARER = /^bearer +(\S+)$/i;
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export interface McpHttpServerOptions {
  tools: McpTools;
  /** Address to listen on, such as `127.0.0.1`. */
  host: string;
  /** 0 chooses a free port. */
  port: number;
  /** Each request must have it as `Authorization: Bearer <token>`. */
  token: string;
  /** Names in the Host header that are accepted besides those of the loopback interface and `host`; without ports. */
  allowedHosts: readonly string[];
  onError: (error: unknown) => void;
}

export interface McpHttpServer {
  /** `http://127.0.0.1:3002/mcp` */
  url: string;
  /** Ends subscriptions, waits for the requests that run, at most three seconds, and closes all connections. */
  close: () => Promise<void>;
}

/** An error of a request before it reaches the protocol. */
class Rejection extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Serves the tools over the streamable HTTP transport at `/mcp`. There are no sessions: each request is independent. */
export async function startHttpServer(options: McpHttpServerOptions): Promise<McpHttpServer> {
  const { tools, host, port, onError } = options;
  const check = createCheck(options);
  const handler = createMcpHandler(createServerFactory(tools), { onerror: onError, maxSubscriptions: 0 });
  const server = createServer(TIMEOUTS, (req, res) => {
    void serve(req, res);
  });
  server.maxConnections = MAX_CONNECTIONS;

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      check(req);
      const body = await readBody(req);
      await sendReply(res, await handler.fetch(toRequest(req, res, body)));
    } catch (error) {
      reject(res, error);
    }
  }

  function reject(res: ServerResponse, error: unknown): void {
    if (!(error instanceof Rejection)) onError(error);
    if (res.headersSent || res.destroyed) {
      res.destroy();
      return;
    }
    const { status, message, headers } =
      error instanceof Rejection ? error : new Rejection(500, 'The request could not be processed.');
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }));
  }

  await listen(server, host, port);
  const { address, port: opened, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${opened}${PATH}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await handler.close();
      server.closeIdleConnections();
      const cut = setTimeout(() => {
        server.closeAllConnections();
      }, CLOSE_WITHIN_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}

/**
 * Returns a function that throws a {@link Rejection} unless a request may reach the tools. A web page in a browser on the same machine
 * can send requests to a loopback address: its requests have an `Origin`, or, after DNS rebinding, its own name in `Host`.
 */
function createCheck({ host, token, allowedHosts }: McpHttpServerOptions): (req: IncomingMessage) => void {
  const hosts = new Set([...LOOPBACK, bracketed(host), ...allowedHosts].map((name) => name.toLowerCase()));
  const expected = digest(token);

  return ({ url = '', method = '', headers }) => {
    if (headers.host === undefined || !hosts.has(headers.host.toLowerCase().replace(/:\d+$/, '')))
      throw new Rejection(403, 'The Host header names another host: add it to MCP_ALLOWED_HOSTS.');
    if (headers.origin !== undefined) throw new Rejection(403, 'Requests of web pages are not accepted.');
    const [, given = ''] = BEARER.exec(headers.authorization ?? '') ?? [];
    if (!timingSafeEqual(digest(given), expected))
      throw new Rejection(401, 'Send the token of the operator as "Authorization: Bearer <token>".', {
        'www-authenticate': 'Bearer',
      });
    if (url.split('?')[0] !== PATH) throw new Rejection(404, `The address of this server is ${PATH}.`);
    if (method !== 'POST') throw new Rejection(405, 'Only POST is supported.', { allow: 'POST' });
  };
}

/** An IPv6 address in brackets, as in a URL. */
function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Reads on after a body became too long, since closing the connection early can destroy the reply. Nothing more is kept. */
function readBody(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
      else reject(new Rejection(413, `The body must have at most ${MAX_BODY_BYTES} bytes.`));
    });
    req.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    req.once('error', () => {
      reject(new Rejection(400, 'The body did not arrive.'));
    });
  });
}

/** The SDK serves the requests of the web platform. `signal` aborts if the client closes the connection. */
function toRequest(req: IncomingMessage, res: ServerResponse, body: Buffer): Request {
  const closed = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) closed.abort();
  });
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(req.headersDistinct))
    for (const value of values) headers.append(name, value);
  return new Request(`http://localhost${PATH}`, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
    signal: closed.signal,
  });
}

async function sendReply(res: ServerResponse, reply: Response): Promise<void> {
  res.writeHead(reply.status, Object.fromEntries(reply.headers));
  if (reply.body === null) res.end();
  else await pipeline(Readable.fromWeb(reply.body as never), res);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
