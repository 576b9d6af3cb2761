import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import type { GrafanaBoard } from './grafana-board.ts';

const ROOT = join(import.meta.dirname, '../..');

const readBoard = (): GrafanaBoard =>
  JSON.parse(readFileSync(join(ROOT, 'ops/grafana-dashboard.json'), 'utf8')) as GrafanaBoard;

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};

/** The errors of TypeScript in each of these dashboards. They are checked together, since loading Grafana's types takes seconds. */
function typeErrors(boards: Record<string, GrafanaBoard>): Record<string, string[]> {
  const names = Object.keys(boards);
  const sources = new Map(
    Object.values(boards).map((checked, index) => [
      join(import.meta.dirname, `checked-dashboard-${index}.ts`),
      `import type { GrafanaBoard } from './grafana-board.ts';\nexport const board: GrafanaBoard = ${JSON.stringify(checked)};\n`,
    ]),
  );
  const host = ts.createCompilerHost(OPTIONS);
  const [fileExists, readFile] = [host.fileExists.bind(host), host.readFile.bind(host)];
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, target) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, target);
  };
  const program = ts.createProgram([...sources.keys()], OPTIONS, host);
  const errorsIn = (path: string): string[] =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(path))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  return Object.fromEntries([...sources.keys()].map((path, index) => [names[index], errorsIn(path)]));
}

/** Mistakes in a panel, which the check must find. */
const MISTAKES: Record<string, (panel: { options: object }) => object> = {
  'an unknown field': (panel) => Object.assign(panel, { discription: 'a typing error' }),
  'an unknown option': ({ options }) => Object.assign(options, { colourMode: 'value' }),
  'an unknown value': ({ options }) => Object.assign(options, { colorMode: 'blue' }),
  'a panel of another type': (panel) => Object.assign(panel, { type: 'graph' }),
  'a missing width': (panel) => Object.assign(panel, { gridPos: { x: 0, y: 0, h: 1 } }),
};

test('the Grafana dashboard fits the types that Grafana publishes', () => {
  const damaged = Object.entries(MISTAKES).map(([mistake, make]) => {
    const board = readBoard();
    make(board.panels.find((panel) => panel.type === 'stat')!);
    return [mistake, board] as const;
  });
  const { dashboard, ...found } = typeErrors({ dashboard: readBoard(), ...Object.fromEntries(damaged) });
  expect(dashboard).toEqual([]);
  // Each mistake is found.
  expect(Object.entries(found).filter(([, errors]) => errors.length === 0)).toEqual([]);
});
