import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { type McpHttpServer, type McpTools, startHttpServer } from '@appointment-emissions/mcp';
import { until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { connectHttp, ERAS, settingsOf, startCommand, startTools, TOKEN } from './mcp-world.ts';

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/list', params: {} });
const HEADERS = {
  authorization: `Bearer ${TOKEN}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

let world: World;
let server: McpHttpServer;
beforeAll(async () => {
  world = await createWorld();
  server = await startHttp((await startTools(world)).tools);
});
afterAll(() => world.close());

async function startHttp(tools: McpTools): Promise<McpHttpServer> {
  const started = await startHttpServer({
    tools,
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    allowedHosts: ['mcp.example.com'],
    onError: () => undefined,
  });
  return world.keep(started, started.close);
}

interface Sent {
  method?: string;
  path?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
}

/** Sends a request with any header, including Host. */
async function send({ method = 'POST', path = '/mcp', headers = {}, body = LIST }: Sent) {
  const { hostname, port } = new URL(server.url);
  const req = request({ hostname, port, method, path, headers: { ...HEADERS, ...headers }, agent: false });
  // The server may reply and close before it has read the body.
  req.on('error', () => undefined);
  req.end(method === 'GET' ? undefined : body);
  const [res] = (await until('a reply', once(req, 'response'))) as [IncomingMessage];
  let text = '';
  for await (const chunk of res.setEncoding('utf8')) text += String(chunk);
  return { status: res.statusCode, headers: res.headers, text };
}

describe('a request is refused', () => {
  test.each<[string, number, Sent]>([
    ['without a token', 401, { headers: { authorization: '' } }],
    ['with another token', 401, { headers: { authorization: `Bearer ${TOKEN}x` } }],
    ['with the token in another scheme', 401, { headers: { authorization: `Basic ${TOKEN}` } }],
    ['of a web page', 403, { headers: { origin: 'https://evil.example' } }],
    ['of a sandboxed web page', 403, { headers: { origin: 'null' } }],
    ['of a web page of a loopback address', 403, { headers: { origin: 'http://127.0.0.1:8080' } }],
    ['after DNS rebinding', 403, { headers: { host: 'evil.example' } }],
    [
      'after DNS rebinding to a name that begins like ours',
      403,
      { headers: { host: 'localhost.evil.example:80' } },
    ],
    ['of another path', 404, { path: '/' }],
    ['that opens a stream', 405, { method: 'GET' }],
    ['that ends a session', 405, { method: 'DELETE' }],
    ['with a long body', 413, { body: JSON.stringify({ text: 'x'.repeat(70_000) }) }],
    [
      'with a long body without a length',
      413,
      { headers: { 'transfer-encoding': 'chunked' }, body: 'x'.repeat(70_000) },
    ],
    ['with another content type', 415, { headers: { 'content-type': 'text/plain' } }],
    ['that is not JSON', 400, { body: '{' }],
  ])('%s: %i', async (_, status, sent) => {
    const reply = await send(sent);
    expect(reply.status).toBe(status);
    expect(JSON.parse(reply.text)).toMatchObject({ jsonrpc: '2.0', error: { message: expect.any(String) } });
    if (status === 401) expect(reply.headers['www-authenticate']).toBe('Bearer');
  });
});

test.each(['localhost', '127.0.0.1:9', '[::1]:9', 'MCP.example.com:443'])(
  'the host %s is accepted',
  async (host) => {
    expect((await send({ headers: { host } })).status).toBe(200);
  },
);

test('a reply names no session', async () => {
  const { headers } = await send({});
  expect(headers['mcp-session-id']).toBeUndefined();
});

test('clients of both protocols are served at the same time', async () => {
  const clients = await Promise.all(
    [...ERAS, ...ERAS].map(([, options]) => connectHttp(world, server.url, options)),
  );
  const found = await Promise.all(clients.map(({ call }) => call('find_free_slots', { days: 1 })));
  expect(found.map(({ structured }) => structured.ok)).toEqual([true, true, true, true]);
});

test('a client without the token does not connect', async () => {
  await expect(connectHttp(world, server.url, {}, 'x'.repeat(32))).rejects.toThrow();
});

test('a request that runs is answered before the server closes, and idle connections are closed', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let called = (): void => undefined;
  const isCalled = new Promise<void>((resolve) => (called = resolve));
  const { tools } = await startTools(world);
  const slow: McpTools = {
    ...tools,
    async call(name, args) {
      called();
      await held;
      return tools.call(name, args);
    },
  };
  const own = await startHttp(slow);
  const idle = connect(Number(new URL(own.url).port), '127.0.0.1');
  const isClosed = once(
    idle.on('error', () => undefined),
    'close',
  );
  await once(idle, 'connect');
  const { call } = await connectHttp(world, own.url, {});
  const calling = call('find_free_slots', {});
  await until('the call', isCalled);
  const closing = own.close();
  release();
  expect((await calling).structured.ok).toBe(true);
  await until('the end', Promise.all([closing, isClosed]));
});

test('SIGTERM ends the command, although a request is incomplete', async () => {
  const api = await world.ready(world.api());
  const settings = settingsOf(world, api, await world.documents.company(), {
    MCP_HTTP: '0',
    MCP_TOKEN: TOKEN,
  });
  const own = await startCommand(world, settings);
  const idle = connect(Number(new URL(own.url).port), '127.0.0.1');
  idle.on('error', () => undefined);
  await once(idle, 'connect');
  idle.write('POST /mcp HTTP/1.1\r\nHost: localhost\r\n');
  own.child.kill('SIGTERM');
  expect(await until('the end', own.exited)).toEqual([0, null]);
  idle.destroy();
});
