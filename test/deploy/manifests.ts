import { createRequire } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';

/** A rendered object of Kubernetes. Its fields are checked by {@link findProblems}. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Manifest = any;

/** Module with type and validation of each kind that the chart has. */
const MODULES: Record<string, string> = {
  'v1 ConfigMap': 'kubernetes-models/v1',
  'v1 Secret': 'kubernetes-models/v1',
  'v1 Service': 'kubernetes-models/v1',
  'apps/v1 Deployment': 'kubernetes-models/apps/v1',
  'batch/v1 Job': 'kubernetes-models/batch/v1',
  'policy/v1 PodDisruptionBudget': 'kubernetes-models/policy/v1',
  'networking.k8s.io/v1 NetworkPolicy': 'kubernetes-models/networking.k8s.io/v1',
  'keda.sh/v1alpha1 ScaledObject': '@kubernetes-models/keda/keda.sh/v1alpha1',
  'monitoring.coreos.com/v1 ServiceMonitor':
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
};

interface Model {
  /** @throws Error that names each wrong value */
  validate: () => void;
}

const require = createRequire(import.meta.url);
/** Exists in memory alone; it is in this folder so that its imports find the packages. */
const VIRTUAL_FILE = join(import.meta.dirname, 'rendered-manifests.ts');

/**
 * Checks manifests against the published types of their kinds. The compiler finds unknown, missing and mistyped fields; the packages'
 * validation finds wrong formats and patterns.
 * @returns a text for each problem
 */
export function findProblems(manifests: readonly Manifest[]): string[] {
  const unknown = manifests.filter((manifest) => moduleOf(manifest) === undefined);
  const known = manifests.filter((manifest) => moduleOf(manifest) !== undefined);
  return [
    ...unknown.map((manifest) => `${nameOf(manifest)}: no type of this kind is known`),
    ...findTypeErrors(known),
    ...known.flatMap(validate),
  ];
}

export function nameOf({ kind, metadata }: Manifest): string {
  return `${String(kind)} ${String(metadata?.name)}`;
}

function moduleOf({ apiVersion, kind }: Manifest): string | undefined {
  return MODULES[`${String(apiVersion)} ${String(kind)}`];
}

function validate(manifest: Manifest): string[] {
  const models = require(moduleOf(manifest)!) as Record<string, new (manifest: Manifest) => Model>;
  try {
    new models[manifest.kind]!(manifest).validate();
    return [];
  } catch (error) {
    return [`${nameOf(manifest)}: ${(error as Error).message}`];
  }
}

/** Compiles each manifest as an object literal with the type of its kind. */
function findTypeErrors(manifests: readonly Manifest[]): string[] {
  const lines = manifests.map((manifest, index) => {
    const type = `import('${moduleOf(manifest)}').I${String(manifest.kind)}`;
    return `export const manifest${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  const text = lines.join('\n');
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([VIRTUAL_FILE], options, {
    ...host,
    fileExists: (file) => file === VIRTUAL_FILE || host.fileExists(file),
    getSourceFile: (file, ...rest) =>
      file === VIRTUAL_FILE
        ? ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
        : host.getSourceFile(file, ...rest),
  });
  const source = program.getSourceFile(VIRTUAL_FILE)!;
  return ts.getPreEmitDiagnostics(program, source).map(({ start = 0, messageText }) => {
    const { line } = source.getLineAndCharacterOfPosition(start);
    return `${nameOf(manifests[line])}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}
