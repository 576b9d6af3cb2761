import { expect, test } from '@jest/globals';
import { PARTS } from '../../scripts/test-all.ts';
import { readPage, tableUnder } from './pages.ts';

const PAGE = 'docs/reference/platforms.md';
const SERVERS = { redis: 'Redis 7.0', valkey: 'Valkey 9.1' };

test('docs/reference/platforms.md has a row for each part of npm run test:all, with its Node.js and its Redis', () => {
  const rows = tableUnder(readPage(PAGE), 'Platforms');
  expect(rows.map((row) => [row['part'], row['Node.js']])).toEqual(
    PARTS.map(({ name, node }) => [name, node ?? 'own']),
  );
  const prescribed = rows.filter((row) => /\d/.test(row['Redis'] ?? ''));
  expect(prescribed.map((row) => [row['part'], row['Redis']])).toEqual(
    PARTS.flatMap(({ name, server }) => (server ? [[name, SERVERS[server]]] : [])),
  );
});
