import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { MUTATIONS } from '../../trials/mutations/mutations.ts';
import { areConnected, importsDirectly } from './imports.ts';
import { filesBelow, readPage, ROOT, tableUnder } from './pages.ts';

const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...filesBelow('docs', '.md'),
  ...filesBelow('examples', '.md'),
  ...filesBelow('deploy', '.md'),
];
/** Top-level folders of the checked paths. */
const FOLDERS = [
  ...['src', 'workers', 'packages', 'web', 'demo', 'scripts', 'test', 'trials'],
  ...['bench', 'deploy', 'docs', 'examples', 'ops', '.ci'],
];
/** The operator's page must be short enough to be read during an incident. */
const MAX_OPERATIONS_LINES = 120;

test.each(PAGES)('%s: every link leads to an existing file or heading', (page) => {
  const links = [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  const inside = links.filter((target) => !/^[a-z]+:/.test(target));
  const dead = inside.filter((target) => {
    const [file = '', heading] = target.split('#');
    const path = file === '' ? page : join(dirname(page), file);
    if (!existsSync(join(ROOT, path))) return true;
    return heading !== undefined && !headingsOf(path).includes(heading);
  });
  expect(dead).toEqual([]);
});

test.each(PAGES)('%s: every file that it names exists', (page) => {
  const named = [...readPage(page).matchAll(/`([\w./-]+)`/g)].map(([, path = '']) => path);
  const paths = named.filter((path) => FOLDERS.some((folder) => path.startsWith(`${folder}/`)));
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test.each(PAGES)('%s: every npm script that it names exists', (page) => {
  // An example has a package.json of its own.
  const manifests = ['package.json', join(dirname(page), 'package.json')];
  const scripts = manifests
    .filter((file) => existsSync(join(ROOT, file)))
    .flatMap((file) => Object.keys((JSON.parse(readPage(file)) as { scripts?: object }).scripts ?? {}));
  const named = [...readPage(page).matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
});

/** Tests that a text quotes by name or beginning, with their files: “name” (`test/file.test.ts`). */
const quotedTests = (text: string) =>
  [...text.matchAll(/“([^”]+)”\s\(`((?:test|trials)\/[^`]+)`\)/g)].map(([, title = '', file = '']) => ({
    title,
    file,
  }));

test.each(['guarantees', 'threats'])('docs/reference/%s.md: each quoted test is in its file', (page) => {
  const quoted = quotedTests(readPage(`docs/reference/${page}.md`));
  expect(quoted.length).toBeGreaterThan(20);
  expect(quoted.filter(({ title, file }) => !readPage(file).includes(title))).toEqual([]);
});

test('docs/reference/threats.md has a test for each threat, and threats of each kind', () => {
  const rows = tableUnder(readPage('docs/reference/threats.md'), 'Threats');
  // tableUnder removes the backticks around the file.
  const untested = rows.filter(({ test: cell = '' }) => !/“[^”]+” \(test\/.+\)/.test(cell));
  expect(untested).toEqual([]);
  expect([...new Set(rows.map(({ kind }) => kind))].sort().join('')).toBe('DEIRST');
});

test('docs/reference/guarantees.md: each mutation that it names as a negative control is one of the row’s test', () => {
  const rows = tableUnder(
    readPage('docs/reference/guarantees.md'),
    '4. A dashboard that was disconnected catches up or reloads',
  );
  const named = rows.flatMap((row) =>
    [...(row['negative control'] ?? '').matchAll(/“([^”]+)”/g)].map(([, safeguard = '']) => ({
      safeguard,
      shownBy: row['test'] ?? '',
    })),
  );
  expect(named.length).toBeGreaterThan(5);
  const wrong = named.filter(
    ({ safeguard, shownBy }) =>
      !MUTATIONS.some(
        (mutation) =>
          mutation.safeguard === safeguard &&
          shownBy.startsWith(`“${mutation.name}`) &&
          shownBy.includes(mutation.test),
      ),
  );
  expect(wrong).toEqual([]);
});

test('docs/README.md links to every page but the single decisions', () => {
  const index = readPage('docs/README.md');
  const pages = filesBelow('docs', '.md')
    .map((path) => path.replace(/^docs\//, ''))
    .filter((path) => path !== 'README.md' && !/^decisions\/\d/.test(path));
  expect(pages.filter((path) => !index.includes(`(${path})`))).toEqual([]);
});

test('docs/operations.md has at most 120 lines', () => {
  expect(readPage('docs/operations.md').split('\n').length).toBeLessThanOrEqual(MAX_OPERATIONS_LINES);
});

test('docs/operations.md: every log line that it lists is written by the code', () => {
  const code = ['src', 'workers'].flatMap((folder) => filesBelow(folder, '.ts')).map(readPage);
  const logs = readPage('docs/operations.md').split('## Logs')[1]?.split('\n## ')[0] ?? '';
  const listed = [...logs.matchAll(/^- (.+?): /gm)].flatMap(([, lines = '']) =>
    [...lines.matchAll(/`([^`]+)`/g)].map(([, line = '']) => line),
  );
  expect(listed.length).toBeGreaterThan(10);
  const written = (line: string) => code.some((source) => source.includes(`${line}'`));
  // The state of a queue ends its line.
  const missing = listed.filter((line) => !written(line) && !written(line.replace(/^queue /, "'")));
  expect(missing).toEqual([]);
});

interface Path {
  name: string;
  files: string[];
}

const PATHS: Path[] = (readPage('docs/architecture.md').split('## Three paths')[1]?.split('\n## ')[0] ?? '')
  .split('\n**')
  .slice(1)
  .map((path) => ({
    name: path.split('**')[0] ?? '',
    files: [...path.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file = '']) => file),
  }));

test('docs/architecture.md describes three paths', () => {
  expect(PATHS).toHaveLength(3);
});

/** Files that reach the file before them as a function: a composition passes it through another composition. */
const PASSED_BY: Record<string, string> = {
  'src/http/middleware/limit-rate.ts': 'src/api/compose-access.ts',
  'src/queue/producer.ts': 'src/resources/compose-enqueue.ts',
  'src/emission/company-log.ts': 'src/api/compose-snapshots.ts',
};

const isConnected = (file: string, earlier: readonly string[]): boolean =>
  earlier.some((from) => areConnected(from, file)) || importsDirectly(PASSED_BY[file] ?? '', file);

test('negative control: most files of another path are not connected', () => {
  for (const path of PATHS)
    for (const other of PATHS.filter((one) => one !== path)) {
      const connected = other.files.filter((file) => isConnected(file, path.files));
      expect(connected.length).toBeLessThan(other.files.length / 2);
    }
});

test.each(PATHS)(
  'the path “$name” has at most 12 files, and imports connect each with an earlier one',
  ({ files }) => {
    expect(files.length).toBeGreaterThan(5);
    expect(files.length).toBeLessThanOrEqual(12);
    // The path comes back to a caller after a call, so any earlier file counts.
    const unconnected = files.slice(1).filter((to, index) => {
      const earlier = files.slice(0, index + 1);
      const isOtherProcess = earlier[index]?.startsWith('packages/') !== to.startsWith('packages/');
      return !isOtherProcess && !isConnected(to, earlier);
    });
    expect(unconnected).toEqual([]);
  },
);

test('docs/decisions/README.md lists every decision', () => {
  const listed = readPage('docs/decisions/README.md');
  const pages = readdirSync(join(ROOT, 'docs/decisions')).filter((name) => /^\d/.test(name));
  expect(pages.filter((name) => !listed.includes(`(${name})`))).toEqual([]);
});

test.each(filesBelow('docs/decisions', '.md').filter((path) => /\/\d/.test(path)))(
  '%s has context, decision and consequences, and at most one table',
  (path) => {
    const page = readPage(path);
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(['Context', 'Decision', 'Consequences']);
    expect(page.match(/^\| -{3,}/gm)?.length ?? 0).toBeLessThanOrEqual(1);
  },
);

/** The anchors that GitHub derives from headings. */
function headingsOf(path: string): string[] {
  return [...readPage(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
