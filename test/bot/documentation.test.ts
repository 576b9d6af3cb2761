import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { toSettings } from '../../packages/bot/src/options.ts';

test('docs/guides/bot.md lists every option with its default', async () => {
  const text = await readFile(new URL('../../docs/guides/bot.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Options'), text.indexOf('## The log'));
  const rows = [...section.matchAll(/^\| `(\w+)`\s+\| (.+?)\s+\|/gm)].map(
    ([, name, value]) => [name, value] as const,
  );
  const documented = Object.fromEntries(rows.map(([name, value]) => [name, value?.replaceAll('`', '')]));

  const { backendUrl, apiKey, problem, ...settings } = toSettings({});
  expect([apiKey, problem?.level]).toEqual([undefined, 'warn']);
  expect(documented).toEqual({
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    backendUrl: backendUrl?.href.replace(/\/$/, ''),
    apiKey: 'none',
    config: 'none',
    logger: 'the file',
  });
});
