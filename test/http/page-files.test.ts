import { type IncomingMessage, request as httpRequest } from 'node:http';
import { mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import express from 'express';
import { servePageFiles } from '../../src/http/page-files.ts';
import { freshDir } from '../harness/own-services.ts';

const close: (() => void)[] = [];
afterEach(() => {
  for (const end of close.splice(0)) end();
});

async function serve() {
  const parent = freshDir('pages');
  const dir = join(parent, 'page');
  mkdirSync(join(dir, 'admin'), { recursive: true });
  writeFileSync(join(parent, 'secret.txt'), 'secret');
  writeFileSync(join(parent, 'page-secret.txt'), 'secret');
  writeFileSync(join(dir, '.hidden'), 'secret');
  writeFileSync(join(dir, 'index.html'), '<p>calendar');
  writeFileSync(join(dir, 'main.js'), 'first()');
  writeFileSync(join(dir, 'admin', 'index.html'), '<p>admin');
  const app = express();
  app.disable('etag');
  app.use(servePageFiles(dir));
  const server = app.listen(0);
  await once(server, 'listening');
  close.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { dir, port, url: `http://127.0.0.1:${port}` };
}

/** Sends the path unchanged: `fetch` would normalize it. */
async function statusOf(port: number, path: string, headers = {}): Promise<number | undefined> {
  const sent = httpRequest({ port, path, headers, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

test('files are served with their types, folders by their index, and a folder without its slash is redirected', async () => {
  const { url } = await serve();
  const root = await fetch(`${url}/`);
  expect([root.headers.get('content-type'), await root.text()]).toEqual([
    'text/html; charset=utf-8',
    '<p>calendar',
  ]);
  const script = await fetch(`${url}/main.js?v=1`);
  expect([script.headers.get('content-type'), await script.text()]).toEqual([
    'text/javascript; charset=utf-8',
    'first()',
  ]);
  const folder = await fetch(`${url}/admin`, { redirect: 'manual' });
  expect([folder.status, folder.headers.get('location')]).toEqual([301, './admin/']);
  expect(await (await fetch(`${url}/admin`)).text()).toBe('<p>admin');
  const head = await fetch(`${url}/main.js`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '7']);
  expect((await fetch(`${url}/main.js`, { method: 'POST' })).status).toBe(404);
});

test('an unchanged file is answered 304, and a changed one is read again', async () => {
  const { url, dir, port } = await serve();
  const first = await fetch(`${url}/main.js`);
  const since = { 'if-modified-since': first.headers.get('last-modified')! };
  // Not by `fetch`, which bypasses caches if such a header is set.
  expect(await statusOf(port, '/main.js', since)).toBe(304);
  writeFileSync(join(dir, 'main.js'), 'second()');
  expect(await (await fetch(`${url}/main.js`)).text()).toBe('second()');
});

test('no file outside the folder and no hidden file is served, however the path is spelt', async () => {
  const { port } = await serve();
  const paths = [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/admin/../../secret.txt',
    '/admin/..%5c..%5csecret.txt',
    '/../page-secret.txt',
    '/..%2fpage-secret.txt',
    '/.hidden',
    '/%2ehidden',
    '/main.js%00',
    '/%',
    '/main.js/',
    '/nothing',
  ];
  for (const path of paths) expect([path, await statusOf(port, path)]).toEqual([path, 404]);
});
