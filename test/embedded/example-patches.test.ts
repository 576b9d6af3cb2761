import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { check, resolveConfig } from 'prettier';
import { copyExample, STATES } from '../../scripts/example.ts';
import { readPage, ROOT } from '../docs/pages.ts';

const EXAMPLE = join(ROOT, 'examples/existing-backend');
const GUIDE = readPage('docs/guides/existing-backend.md');

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'example-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** The texts of the application's files, by path. */
function readFiles(app: string): Record<string, string> {
  const names = readdirSync(app, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !/^node_modules|\.(md|patch)$/.test(name) && statSync(join(app, name)).isFile(),
  );
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(app, name), 'utf8')]));
}

/** Figures as in the README's table. */
function figuresOf(patch: string) {
  const lines = readFileSync(join(EXAMPLE, patch), 'utf8').split('\n');
  const count = (start: RegExp) => String(lines.filter((line) => start.test(line)).length);
  return { files: count(/^diff /), added: count(/^\+(?!\+\+ )/), removed: count(/^-(?!-- )/) };
}

test('the README states the size of each patch', () => {
  const rows = readPage('examples/existing-backend/README.md')
    .split('\n')
    .filter((line) => line.includes('.patch'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const stated = rows.map(([, , , files, added, removed]) => ({ files, added, removed }));
  expect(stated).toEqual(STATES.after.map(figuresOf));
});

test.each(['side-by-side', 'after'] as const)('%s is formatted as this repository is', async (state) => {
  const options = await resolveConfig(join(ROOT, 'package.json'));
  const files = Object.entries(readFiles(await copyExample(dir, state)));
  const checks = files.map(async ([filepath, text]) =>
    (await check(text, { ...options, filepath })) ? [] : filepath,
  );
  expect((await Promise.all(checks)).flat()).toEqual([]);
});

test('the patches in reverse restore the application', async () => {
  const app = await copyExample(dir, 'after');
  for (const patch of STATES.after.toReversed()) {
    await execa('git', ['apply', '--reverse', join(EXAMPLE, patch)], {
      cwd: app,
      env: { GIT_CEILING_DIRECTORIES: dir },
    });
  }
  expect(readFiles(app)).toEqual(readFiles(EXAMPLE));
});

/** Names of the files that a code block begins with, and the parts of its text between `// …` and empty lines. */
function codeIn(section: string): { file: string; parts: string[] }[] {
  return [...section.matchAll(/^```js\n\/\/ (\S+\.js)[^\n]*\n(.*?)^```$/gms)].map(
    ([, file = '', code = '']) => ({
      file,
      parts: code.split(/\n\n/).map(unspaced),
    }),
  );
}

const unspaced = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
const sectionOf = (heading: string) => GUIDE.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';

test.each([
  ['From nothing to the first event', 'side-by-side', 7],
  ['Remove the old emission', 'after', 2],
] as const)(
  'docs/guides/existing-backend.md: the code of “%s” is the example’s',
  async (heading, state, blocks) => {
    const files = readFiles(await copyExample(dir, state));
    const code = codeIn(sectionOf(heading));
    expect(code).toHaveLength(blocks);
    for (const { file, parts } of code) {
      const text = unspaced(files[file] ?? '');
      for (const part of parts) expect(text).toContain(part);
    }
  },
);

test('docs/guides/existing-backend.md: the packages that it installs are those of the example', async () => {
  const { dependencies } = JSON.parse(readFiles(await copyExample(dir, 'after'))['package.json']!) as {
    dependencies: Record<string, string>;
  };
  const installed = [...GUIDE.matchAll(/^npm install (\S+)/gm)].map(([, name]) => name);
  const before = JSON.parse(readFileSync(join(EXAMPLE, 'package.json'), 'utf8')) as typeof JSON & {
    dependencies: Record<string, string>;
  };
  const added = Object.keys(dependencies).filter((name) => !(name in before.dependencies));
  expect(installed.sort()).toEqual(added.sort());
});
