import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');

interface Board {
  panels: { type: string; [field: string]: unknown }[];
  [field: string]: unknown;
}
const board = (): Board =>
  JSON.parse(readFileSync(join(ROOT, 'ops/grafana-dashboard.json'), 'utf8')) as Board;

/**
 * Types of the dashboard, from Grafana's own package. Grafana's are enums, which JSON cannot name: `Plain` takes their values.
 * Unknown fields are errors too, because the checked source is a literal.
 */
const TYPES = `
import type { Dashboard, DataQuery, FieldConfigSource, Panel, RowPanel } from '@grafana/schema';
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { FieldConfig as TimeSeriesFields, Options as TimeSeries }
  from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

type Plain<T> = T extends string ? \`\${T}\` : T extends object ? { [Key in keyof T]: Plain<T[Key]> } : T;
/** Of the Prometheus data source, whose types are not in the package. */
interface Query extends Pick<DataQuery, 'refId'> {
  datasource: { type: 'prometheus'; uid: string };
  expr: string;
  legendFormat: string;
  range: boolean;
  instant: boolean;
}
type Own<Type, Options, Fields> = Plain<Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'>> & {
  type: Type;
  options: Partial<Plain<Options>>;
  fieldConfig: Plain<Omit<FieldConfigSource, 'defaults'>> & {
    defaults: Plain<Omit<FieldConfigSource['defaults'], 'custom'>> & { custom?: Plain<Fields> };
  };
  targets: Query[];
};
type Board = Plain<Omit<Dashboard, 'panels'>> & {
  panels: (
    | (Plain<Omit<RowPanel, 'type'>> & { type: 'row' })
    | Own<'stat', Stat, Record<string, never>>
    | Own<'timeseries', TimeSeries, TimeSeriesFields>
  )[];
};
`;

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};

/** The errors of TypeScript in each of these dashboards. They are checked together, since loading Grafana's types takes seconds. */
function typeErrors(boards: Record<string, Board>): Record<string, string[]> {
  const names = Object.keys(boards);
  const sources = new Map(
    Object.values(boards).map((checked, index) => [
      join(import.meta.dirname, `checked-dashboard-${index}.ts`),
      `${TYPES}export const board: Board = ${JSON.stringify(checked, null, 2)};\n`,
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

/** Mistakes that the check must find. */
const MISTAKES: Record<string, (checked: Board) => unknown> = {
  'an unknown field': ({ panels }) => Object.assign(panels[1]!, { discription: 'a typing error' }),
  'an unknown option': ({ panels }) =>
    Object.assign(panels[1]!['options'] as object, { colourMode: 'value' }),
  'an unknown value': ({ panels }) => Object.assign(panels[1]!['options'] as object, { colorMode: 'blue' }),
  'a panel of another type': ({ panels }) => Object.assign(panels[1]!, { type: 'graph' }),
  'a missing width': ({ panels }) => Object.assign(panels[1]!, { gridPos: { x: 0, y: 0, h: 1 } }),
};

test('the Grafana dashboard fits the types that Grafana publishes', () => {
  const damaged = Object.entries(MISTAKES).map(([mistake, make]) => {
    const checked = board();
    make(checked);
    return [mistake, checked] as const;
  });
  const { dashboard, ...found } = typeErrors({ dashboard: board(), ...Object.fromEntries(damaged) });
  expect(dashboard).toEqual([]);
  // Each mistake is found.
  expect(Object.entries(found).filter(([, errors]) => errors.length === 0)).toEqual([]);
});
