import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import * as contracts from '../src/contracts/index.ts';

/** The stages of the path: they meet in a composition root, or through a function type, never directly. */
const STAGES = [
  'http',
  'queue',
  'population',
  'emission',
  'realtime',
  'reconcile',
  'repair',
  'liveness',
  'metrics',
];

/** What each folder may import besides itself and `contracts`. `root`: modules of `src/` that import no stage. */
const MAY_IMPORT: Record<string, string[]> = {
  ...Object.fromEntries(STAGES.map((stage) => [stage, ['root']])),
  contracts: [],
  bot: [],
  dashboard: [],
  admin: ['dashboard'],
  demo: ['root', 'bot', 'population'],
  root: ['root'],
  composition: [...STAGES, 'root', 'composition', 'demo'],
  workers: [...STAGES.filter((stage) => stage !== 'http' && stage !== 'realtime'), 'root'],
};

/** npm packages that the libraries for others may load; all other folders may load any. */
const MAY_LOAD: Record<string, string[]> = {
  contracts: [],
  bot: ['socket.io-client'],
  dashboard: ['socket.io-client'],
};

/** The only modules that read the environment. */
const ENTRY_FILES = new Set([
  'src/api.ts',
  'src/bot/index.ts',
  'src/db-indexes.ts',
  'src/demo/bot-process.ts',
  'src/emissions-cli.ts',
  'workers/main.ts',
]);

const MOST_LINES = 300;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const sources = readSources();

test('every folder imports only what its place on the path allows', () => {
  const wrong = sources.flatMap(({ path, folder, imports }) =>
    imports
      .filter(({ to }) => to !== undefined && to !== folder && to !== 'contracts')
      .filter(({ to }) => !(MAY_IMPORT[folder] ?? []).includes(to ?? ''))
      .map(({ specifier }) => `${path} imports ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test('the libraries load no package but socket.io-client, the contracts none', () => {
  const wrong = sources.flatMap(({ path, folder, imports }) => {
    const allowed = MAY_LOAD[folder];
    return allowed === undefined
      ? []
      : imports
          .filter(({ to, specifier }) => to === undefined && !specifier.startsWith('node:'))
          .filter(({ specifier }) => !allowed.includes(specifier))
          .map(({ specifier }) => `${path} loads ${specifier}`);
  });
  expect(wrong).toEqual([]);
});

test('contracts and the browser library load nothing of Node', () => {
  const wrong = sources
    .filter(({ folder }) => ['contracts', 'dashboard', 'admin'].includes(folder))
    .flatMap(({ path, imports }) =>
      imports.filter(({ specifier }) => specifier.startsWith('node:')).map(() => path),
    );
  expect(wrong).toEqual([]);
});

test('process.env is read in entry files only', () => {
  expect(
    sources.filter(({ path, readsEnv }) => readsEnv && !ENTRY_FILES.has(path)).map(({ path }) => path),
  ).toEqual([]);
});

test('only contracts spells the name of an event, a room, a queue or a namespace', () => {
  const names = new Set(
    Object.values<unknown>(contracts).flatMap((value) =>
      // A plain word, such as canary, is no name yet.
      typeof value === 'string' && /[:/-]./.test(value) ? value : [],
    ),
  );
  const rooms = [contracts.companyRoom(''), contracts.canaryRoom('')];
  const wrong = sources
    .filter(({ folder }) => folder !== 'contracts')
    .flatMap(({ path, literals }) =>
      literals
        .filter((literal) => names.has(literal) || rooms.some((room) => literal.startsWith(room)))
        .map((literal) => `${path} spells "${literal}"`),
    );
  expect(wrong).toEqual([]);
});

test(`no file has more than ${MOST_LINES} lines, half of them have at most 60`, () => {
  expect(sources.filter(({ lines }) => lines > MOST_LINES).map(({ path }) => path)).toEqual([]);
  const sorted = sources.map(({ lines }) => lines).sort((a, b) => a - b);
  expect(sorted[sorted.length >> 1]).toBeLessThanOrEqual(60);
});

test('folders are named after stages, not after kinds of code', () => {
  const folders = sources.flatMap(({ path }) => dirname(path).split(sep));
  const kinds = ['utils', 'util', 'helpers', 'types', 'services', 'common', 'lib', 'interfaces', 'classes'];
  expect(folders.filter((name) => kinds.includes(name))).toEqual([]);
});

interface Source {
  path: string;
  /** A key of MAY_IMPORT. */
  folder: string;
  /** `to`: the folder, or `undefined` for a package. */
  imports: { specifier: string; to: string | undefined }[];
  literals: string[];
  readsEnv: boolean;
  lines: number;
}

function readSources(): Source[] {
  const files = ['src', 'workers'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(top, name)),
  );
  const parsed = files.map((path) => ({ path, ...parse(path) }));
  const importedFrom = (path: string): string[] =>
    parsed.find((source) => source.path === path)?.specifiers.flatMap((to) => resolve(path, to) ?? []) ?? [];

  /** A module of `src/` itself that reaches a stage, directly or through another, is a composition root. */
  function composes(path: string, seen = new Set<string>()): boolean {
    if (seen.has(path)) return false;
    seen.add(path);
    return importedFrom(path).some(
      (to) => STAGES.includes(placeOf(to)) || (placeOf(to) === 'root' && composes(to, seen)),
    );
  }
  const composing = new Set(files.filter((path) => placeOf(path) === 'root' && composes(path)));
  const folderOf = (path: string): string => (composing.has(path) ? 'composition' : placeOf(path));

  return parsed.map(({ path, specifiers, ...rest }) => ({
    path,
    folder: folderOf(path),
    imports: specifiers.map((specifier) => {
      const to = resolve(path, specifier);
      return { specifier, to: to === undefined ? undefined : folderOf(to) };
    }),
    ...rest,
  }));
}

/** `src/http/app.ts` → `http`, `src/config.ts` → `root`, `workers/main.ts` → `workers`. */
function placeOf(path: string): string {
  const [top, folder = ''] = path.split(sep);
  if (top === 'workers') return 'workers';
  return folder.endsWith('.ts') ? 'root' : folder;
}

function resolve(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(from), specifier)) : undefined;
}

function parse(path: string): Omit<Source, 'path' | 'folder' | 'imports'> & { specifiers: string[] } {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const specifiers = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
  const literals: string[] = [];
  let readsEnv = /import \{[^}]*\benv\b[^}]*\} from '(node:)?process'/.test(text);
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) literals.push(node.text);
    if (ts.isPropertyAccessExpression(node) && node.getText() === 'process.env') readsEnv = true;
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return { specifiers, literals, readsEnv, lines: text.split('\n').length };
}
