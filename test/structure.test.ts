import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import * as contracts from '@appointment-emissions/contracts';
import { measureStructure } from '../scripts/measure-structure.ts';
import { readPage, tableUnder } from './docs/pages.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The only files at the root of `src/`. */
const SRC_FILES = ['batching.ts', 'config.ts', 'errors.ts'];

/** The stages that an emission passes through. They meet in a composition folder, never directly. */
const STAGES = [
  'capture',
  'emission',
  'liveness',
  'metrics',
  'population',
  'queue',
  'realtime',
  'repair',
  'sweep',
];

/** What every folder of the server may import: vocabulary and infrastructure below the stages. */
const BELOW = ['contracts', 'domain', 'model', 'errors', 'batching'];
const INFRASTRUCTURE = ['process', 'redis', 'tracing'];

/** Which places each place may import, besides itself. A place is a folder, or a file at the root of `src/`. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  contracts: [],
  bot: ['contracts'],
  dashboard: ['contracts'],
  mcp: ['contracts', 'bot'],
  errors: [],
  batching: [],
  config: ['contracts', 'settings'],
  settings: ['contracts'],
  domain: ['contracts'],
  model: ['contracts', 'errors'],
  tracing: ['contracts'],
  // The bot library has the code that appends to log files.
  process: [...BELOW, 'bot'],
  redis: [...BELOW, 'process', 'settings'],
  access: [...BELOW, ...INFRASTRUCTURE, 'metrics'],
  accept: [...BELOW, ...INFRASTRUCTURE, 'metrics'],
  ...Object.fromEntries(STAGES.map((stage) => [stage, [...BELOW, ...INFRASTRUCTURE]])),
  metrics: [...BELOW, ...INFRASTRUCTURE, 'access'],
  realtime: [...BELOW, ...INFRASTRUCTURE, 'access'],
  http: [...BELOW, ...INFRASTRUCTURE, 'access', 'accept'],
  resources: [...BELOW, ...INFRASTRUCTURE, 'config', 'access', 'emission', 'metrics', 'population', 'queue'],
  // The API runs direct jobs.
  api: [...BELOW, ...INFRASTRUCTURE, ...STAGES, 'resources', 'config', 'access', 'accept', 'http', 'workers'],
  cli: [...BELOW, ...INFRASTRUCTURE, ...STAGES, 'resources', 'config', 'settings', 'access', 'http', 'api'],
  workers: [...BELOW, ...INFRASTRUCTURE, ...STAGES, 'resources', 'config'],
  // The package's export composes an API and a worker in the process of an existing application.
  embedded: [
    ...BELOW,
    ...INFRASTRUCTURE,
    ...STAGES,
    'resources',
    'config',
    'settings',
    'access',
    'accept',
    'http',
    'api',
    'workers',
  ],
  demo: [...BELOW, ...INFRASTRUCTURE, 'config', 'settings', 'api', 'access', 'population', 'bot', 'mcp'],
  web: ['contracts', 'dashboard', 'demo', 'web'],
};

/** The one home of each large dependency; the files beside it are named one by one. */
const HOMES: Record<string, readonly string[]> = {
  express: ['src/http/', 'demo/'],
  'socket.io': ['src/realtime/'],
  'prom-client': ['src/metrics/'],
  bullmq: ['src/queue/', 'src/tracing/', 'workers/'],
  ioredis: [
    'src/redis/',
    'src/emission/publish.ts', // distinguishes a refused command from a lost connection
    'src/http/routes/health-checks.ts', // reads the state of a Cluster's nodes
  ],
  mongoose: [
    'src/population/',
    'src/cli/db-indexes.ts',
    'src/settings/mongo-uri.ts', // the driver's own parser
    'demo/',
  ],
};

/** npm packages that a published library may load. All other places may load any. */
const MAY_LOAD: Record<string, readonly string[]> = {
  contracts: [],
  bot: ['socket.io-client'],
  dashboard: ['socket.io-client', 'react'],
  mcp: ['@modelcontextprotocol/server', '@modelcontextprotocol/server/stdio'],
};

/** The only modules that read the environment. */
const ENTRY_FILES = new Set([
  'src/api/main.ts',
  'src/cli/db-indexes.ts',
  'src/cli/emissions.ts',
  // authenticateInternalService reads its key at the first request.
  'src/embedded/index.ts',
  'packages/bot/src/index.ts',
  'packages/mcp/src/main.ts',
  'demo/api.ts',
  'demo/bot-process.ts',
  'demo/mcp-calendar.ts',
  'workers/main.ts',
]);

const MAX_LINES = 300;

/** Upper bounds of the figures that `npm run structure` prints. Lower one whenever its figure gets smaller. */
const MAX_FIGURES = {
  filesAtRoot: 3,
  largestFolder: 20,
  smallFiles: 12,
  smallFilesWithOneImporter: 15,
  longFunctions: 0,
  typesDeclaredTwice: 0,
  javaScriptLines: 393,
  settings: 40,
  botPackages: 2,
  docsWords: 17_300,
} as const;
const PACKAGE = /^@appointment-emissions\/(\w+)(?:\/|$)/;
const sources = readSources();

test('only the named files are at the root of src', () => {
  const files = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map(({ name }) => name).sort()).toEqual(SRC_FILES);
});

test('every place imports only what the table allows', () => {
  const wrong = sources.flatMap(({ path, place, imports }) =>
    imports
      .filter(({ to }) => to !== undefined && to !== place && !MAY_IMPORT[place]?.includes(to))
      .map(({ specifier }) => `${path} imports ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test('a package is imported by its name, not by a path into its sources', () => {
  const wrong = sources.flatMap(({ path, place, imports }) =>
    imports
      .filter(({ specifier, to }) => specifier.startsWith('.') && to !== place)
      .filter(({ to }) => ['contracts', 'bot', 'dashboard', 'mcp'].includes(to ?? ''))
      .map(({ specifier }) => `${path} imports ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test('the table has a row for every place', () => {
  const places = new Set(sources.map(({ place }) => place));
  expect([...places].filter((place) => !(place in MAY_IMPORT))).toEqual([]);
});

test.each(Object.entries(HOMES))('only its home imports %s', (dependency, home) => {
  const users = sources.filter(({ imports }) =>
    imports.some(({ specifier, isType }) => specifier === dependency && !isType),
  );
  expect(users.map(({ path }) => path).filter((path) => !home.some((at) => path.startsWith(at)))).toEqual([]);
});

test('the libraries load no packages but their peers, the contracts none', () => {
  const wrong = sources.flatMap(({ path, place, imports }) => {
    const allowed = MAY_LOAD[place];
    return allowed === undefined
      ? []
      : imports
          .filter(({ to, specifier }) => to === undefined && !specifier.startsWith('node:'))
          .filter(({ specifier }) => !allowed.includes(specifier))
          .map(({ specifier }) => `${path} loads ${specifier}`);
  });
  expect(wrong).toEqual([]);
});

test('contracts, the browser library and the pages load nothing of Node', () => {
  const wrong = sources
    .filter(({ place }) => ['contracts', 'dashboard', 'web'].includes(place))
    .flatMap(({ path, imports }) =>
      imports.filter(({ specifier }) => specifier.startsWith('node:')).map(() => path),
    );
  expect(wrong).toEqual([]);
});

test('only entry files read process.env', () => {
  expect(
    sources.filter(({ path, readsEnv }) => readsEnv && !ENTRY_FILES.has(path)).map(({ path }) => path),
  ).toEqual([]);
});

test('only contracts contains the name of an event, a room, a queue or a namespace', () => {
  const names = new Set(
    Object.values<unknown>(contracts).flatMap((value) =>
      // A plain word, such as canary, is not yet a name.
      typeof value === 'string' && /[:/-]./.test(value) ? value : [],
    ),
  );
  const rooms = [contracts.companyRoom(''), contracts.canaryRoom('')];
  const wrong = sources
    .filter(({ place }) => place !== 'contracts')
    .flatMap(({ path, literals }) =>
      literals
        .filter((literal) => names.has(literal) || rooms.some((room) => literal.startsWith(room)))
        .map((literal) => `${path} contains "${literal}"`),
    );
  expect(wrong).toEqual([]);
});

test(`no file has more than ${MAX_LINES} lines, half of them have at most 80`, () => {
  expect(sources.filter(({ lines }) => lines > MAX_LINES).map(({ path }) => path)).toEqual([]);
  const sorted = sources.map(({ lines }) => lines).sort((a, b) => a - b);
  expect(sorted[sorted.length >> 1]).toBeLessThanOrEqual(80);
});

test('every figure of the structure is within its bound', () => {
  const figures = measureStructure();
  const above = Object.entries(MAX_FIGURES).filter(
    ([name, max]) => figures[name as keyof typeof MAX_FIGURES] > max,
  );
  expect(
    above.map(([name, max]) => `${name}: ${figures[name as keyof typeof MAX_FIGURES]}, at most ${max}`),
  ).toEqual([]);
});

test('CONTRIBUTING.md has the same bounds', () => {
  const rows = tableUnder(readPage('CONTRIBUTING.md'), 'Size');
  const bounds = rows.map((row) => row['at most']?.replace(',', '')).filter(Boolean);
  expect(bounds.map(Number)).toEqual(Object.values(MAX_FIGURES));
});

test('folders are named after stages, not after kinds of code', () => {
  const folders = sources.flatMap(({ path }) => dirname(path).split(sep));
  const kinds = ['utils', 'util', 'helpers', 'types', 'services', 'common', 'lib', 'interfaces', 'classes'];
  expect(folders.filter((name) => kinds.includes(name))).toEqual([]);
});

test('no test passes its whole environment to a child process', () => {
  expect(testFilesWith(/\.\.\.process\.env\b/)).toEqual([]);
});

test('hooks at the top level are in test files only: a process loads other modules once', () => {
  const found = testFilesWith(/^(?:before|after)(?:Each|All)\(/m);
  expect(found.filter((path) => !path.endsWith('.test.ts'))).toEqual([]);
});

/** Paths of the TypeScript files of tests and trials that contain `pattern`. */
function testFilesWith(pattern: RegExp): string[] {
  return ['test', 'trials']
    .flatMap((top) =>
      readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' }).map((name) => join(top, name)),
    )
    .filter((path) => path.endsWith('.ts') && !path.startsWith('test/structure'))
    .filter((path) => pattern.test(readFileSync(join(ROOT, path), 'utf8')));
}

interface Source {
  path: string;
  /** A key of MAY_IMPORT. */
  place: string;
  /** `to`: the place, or `undefined` for a package of others. */
  imports: { specifier: string; to: string | undefined; isType: boolean }[];
  literals: string[];
  readsEnv: boolean;
  lines: number;
}

function readSources(): Source[] {
  const packages = ['contracts', 'bot', 'dashboard', 'mcp'].map((name) => `packages/${name}/src`);
  const files = ['src', 'workers', ...packages, 'demo', 'web'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(top, name)),
  );
  return files.map(parse);
}

/** `src/http/app.ts` → `http`, `src/config.ts` → `config`, `packages/bot/src/index.ts` → `bot`, `web/…` → `web`. */
function placeOf(path: string): string {
  const [top = '', folder = ''] = path.split(sep);
  return top === 'src' || top === 'packages' ? folder.replace(/\.ts$/, '') : top;
}

function targetOf(from: string, specifier: string): string | undefined {
  const [, own] = PACKAGE.exec(specifier) ?? [];
  if (own !== undefined) return own;
  if (!specifier.startsWith('.')) return undefined;
  return placeOf(relative(ROOT, join(ROOT, dirname(from), specifier)));
}

function parse(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const imports: Source['imports'] = [];
  const literals: string[] = [];
  let readsEnv = /import \{[^}]*\benv\b[^}]*\} from '(node:)?process'/.test(text);
  const add = (specifier: ts.Expression, isType: boolean): void => {
    if (!ts.isStringLiteralLike(specifier)) return;
    imports.push({ specifier: specifier.text, to: targetOf(path, specifier.text), isType });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier) add(specifier, false);
    } else if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) {
      literals.push(node.text);
    }
    if (ts.isPropertyAccessExpression(node) && node.getText() === 'process.env') readsEnv = true;
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return {
    path,
    place: placeOf(path),
    imports,
    literals,
    readsEnv,
    lines: text.trimEnd().split('\n').length,
  };
}
