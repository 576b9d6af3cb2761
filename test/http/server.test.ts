import { afterEach, expect, test } from '@jest/globals';
import express, { type Express } from 'express';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createHttpServer } from '../../src/http/server.ts';

const LIMITS = {
  MAX_HEADER_BYTES: 16_384,
  MAX_HEADERS: 100,
  HEADERS_TIMEOUT_MS: 5_000,
  REQUEST_TIMEOUT_MS: 5_000,
  KEEP_ALIVE_TIMEOUT_MS: 5_000,
};

const close: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(close.splice(0).map((end) => end())));

const prototypesOf = (req: object, res: object) => ({
  request: Object.getPrototypeOf(req) as unknown,
  response: Object.getPrototypeOf(res) as unknown,
});

/** An application behind a look at what Node hands to it. */
async function listen(app: Express) {
  const { server, serve } = createHttpServer(LIMITS);
  const born: ReturnType<typeof prototypesOf>[] = [];
  server.on('request', (req, res) => {
    born.push(prototypesOf(req, res));
  });
  serve(app);
  server.listen(0);
  await once(server, 'listening');
  close.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, born };
}

test('Node creates requests and responses with the prototypes of the application, so Express changes none', async () => {
  const app = express();
  const { url, born } = await listen(
    app.get('/', (req, res) => {
      born.push(prototypesOf(req, res));
      res.json({ ip: req.ip, query: req.query, type: res.get('Content-Type') });
    }),
  );

  const reply = await fetch(`${url}/?a=1`);
  expect(await reply.json()).toMatchObject({ query: { a: '1' } });
  const own = { request: app.request, response: app.response };
  expect(born.length).toBe(2);
  for (const { request, response } of born) {
    expect(request === own.request).toBe(true);
    expect(response === own.response).toBe(true);
  }
});

test('two servers in one process each serve their own application, with its own request properties', async () => {
  const apps = ['first', 'second'].map((name) => {
    const app = express();
    app.set('name', name);
    Object.assign(app.request, { greet: () => `hello from ${name}` });
    return app.get('/', (req, res) => {
      res.json({
        name: req.app.get('name') as string,
        greeting: (req as unknown as { greet: () => string }).greet(),
      });
    });
  });
  const served = await Promise.all(apps.map(listen));
  const replies = await Promise.all(served.map(async ({ url }) => (await fetch(url)).json()));
  expect(replies).toEqual([
    { name: 'first', greeting: 'hello from first' },
    { name: 'second', greeting: 'hello from second' },
  ]);
});
