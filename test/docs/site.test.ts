import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writePages } from '../../scripts/site/pages.ts';
import {
  type HttpDocument,
  type SocketDocument,
  renderHttp,
  renderSockets,
} from '../../scripts/site/interfaces.ts';
import { createAsyncApi } from '../../src/http/docs/asyncapi.ts';
import { createOpenApi } from '../../src/http/docs/openapi.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { filesBelow } from './pages.ts';

const REPOSITORY = 'https://code.example.org/team/emissions/blob/main';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'site-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('the site has every page of docs and of the examples, and no dead link', () => {
  writePages({ out: folder, repository: REPOSITORY });
  for (const path of filesBelow('docs', '.md')) {
    const page = path.replace(/^docs\//, '').replace(/^README\.md$/, 'contents.md');
    expect({ page, exists: existsSync(join(folder, page.replace('README.md', 'index.md'))) }).toEqual({
      page,
      exists: true,
    });
  }
  const bot = readFileSync(join(folder, 'guides/bot.md'), 'utf8');
  expect(bot).toContain('(../reference/configuration.md#the-bots-library)');
  expect(bot).toContain('[bot-drop-in](../examples/bot-drop-in.md)');
  expect(bot).toContain(`[\`demo/booking-service.ts\`](${REPOSITORY}/demo/booking-service.ts)`);
});

test('without the address of a repository, a link to a source file is plain text', () => {
  writePages({ out: folder, repository: undefined });
  expect(readFileSync(join(folder, 'guides/bot.md'), 'utf8')).toContain(
    'BookingService` to it. `demo/booking-service.ts`',
  );
});

test.each([
  ['a page', '[a](gone.md)', 'gone.md'],
  ['a heading', '[a](#gone)', '#gone'],
  ['a heading of another page', '[a](guides/bot.md#gone)', 'guides/bot.md#gone'],
  ['a source file', '[a](../src/gone.ts)', '../src/gone.ts'],
  ['a file outside of the checkout', '[a](../../etc)', '../../etc'],
])('a dead link to %s fails', (_, text, target) => {
  const root = join(folder, 'checkout');
  const files = {
    'docs/page.md': text,
    'docs/guides/bot.md': '# Bot',
    'site/index.md': '',
    'docs/images/x': '',
  };
  for (const name of ['CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'examples/x/README.md'])
    Object.assign(files, { [name]: '' });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  expect(() => {
    writePages({ out: join(folder, 'out'), repository: REPOSITORY, root });
  }).toThrow(`docs/page.md: ${target}`);
  writeFileSync(join(root, 'docs/page.md'), `\`\`\`md\n${text}\n\`\`\``);
  writePages({ out: join(folder, 'out'), repository: REPOSITORY, root });
});

test('the pages of the interfaces have every route, every event and every shape', () => {
  const http = createOpenApi(DEFAULT_MODEL) as unknown as HttpDocument;
  const sockets = createAsyncApi(DEFAULT_MODEL) as unknown as SocketDocument;
  const [routes, events] = [renderHttp(http), renderSockets(sockets)];
  for (const [path, methods] of Object.entries(http.paths))
    for (const method of Object.keys(methods))
      expect(routes).toContain(`### \`${method.toUpperCase()} ${path}\``);
  for (const { messages } of Object.values(sockets.channels))
    for (const { name } of Object.values(messages))
      expect(events).toContain(name.replace(' (acknowledgement)', ''));
  for (const page of [routes, events]) {
    const anchors = [...page.matchAll(/^### (\w+)$/gm)].map(([, name = '']) => `#${name.toLowerCase()}`);
    const links = [...page.matchAll(/\]\((#\w+)\)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
    expect(page).not.toMatch(/\bundefined\b|\[object Object\]/);
  }
});
