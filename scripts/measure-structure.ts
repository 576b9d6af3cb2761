/**
 * Prints the figures of the structure: sizes, long functions, names declared twice, settings, docs. `npm run structure`.
 * test/structure.test.ts holds the limits.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAX_FUNCTION_LINES = 60;

interface SourceFile {
  path: string;
  text: string;
  /** Lines of code and comments, without the last line break. */
  lines: number;
  tree: ts.SourceFile;
}

/** Paths of the files with this ending below some folders, as git lists them. */
function listFiles(places: readonly string[], extension: string): string[] {
  const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...places], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  // A file that is deleted but not yet staged is still listed.
  return list.split('\n').filter((path) => path.endsWith(extension) && existsSync(join(ROOT, path)));
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function readSourceFiles(folders: readonly string[], extension = '.ts'): SourceFile[] {
  return listFiles(folders, extension).map((path) => {
    const text = read(path);
    const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    return { path, text, lines: text.trimEnd().split('\n').length, tree };
  });
}

/** Functions longer than {@link MAX_FUNCTION_LINES}, as `path: name (lines)`. A function's own inner functions count. */
function longFunctions(files: readonly SourceFile[]): { id: string; lines: number }[] {
  return files.flatMap(({ path, tree }) => {
    const found: { id: string; lines: number }[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node) && 'body' in node && node.body) {
        const lineOf = (at: number) => tree.getLineAndCharacterOfPosition(at).line;
        const lines = lineOf(node.getEnd()) - lineOf(node.getStart()) + 1;
        if (lines > MAX_FUNCTION_LINES) found.push({ id: `${path}: ${nameOf(node)}`, lines });
      }
      ts.forEachChild(node, visit);
    };
    visit(tree);
    return found;
  });
}

function nameOf(node: ts.Node): string {
  if ('name' in node && node.name && ts.isIdentifier(node.name as ts.Node))
    return (node.name as ts.Identifier).text;
  return ts.isVariableDeclaration(node.parent) ? node.parent.name.getText() : 'anonymous';
}

/** Exported types and interfaces whose name is declared in more than one file. */
function typesDeclaredTwice(files: readonly SourceFile[]): string[] {
  const places = new Map<string, string[]>();
  for (const { path, tree } of files) {
    for (const statement of tree.statements) {
      const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
      const isExported =
        isType && statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
      if (isExported) places.set(statement.name.text, [...(places.get(statement.name.text) ?? []), path]);
    }
  }
  return [...places].filter(([, at]) => at.length > 1).map(([name, at]) => `${name}: ${at.join(', ')}`);
}

function importersOf(files: readonly SourceFile[]): Map<string, number> {
  const importers = new Map<string, number>();
  for (const { path, text } of files) {
    for (const { fileName } of ts.preProcessFile(text).importedFiles) {
      if (!fileName.startsWith('.')) continue;
      const target = normalize(join(dirname(path), fileName));
      importers.set(target, (importers.get(target) ?? 0) + 1);
    }
  }
  return importers;
}

/** Figures of the code's structure. test/structure.test.ts has an upper bound for each but the totals. */
interface StructureFigures {
  files: number;
  lines: number;
  filesAtRoot: number;
  largestFolder: number;
  /** Of at most 20 lines. */
  smallFiles: number;
  /** Of at most 45 lines, with one importer. */
  smallFilesWithOneImporter: number;
  /** Of more than {@link MAX_FUNCTION_LINES} lines. */
  longFunctions: number;
  typesDeclaredTwice: number;
  /** In `scripts/`: they run before the install, and no compiler checks them there. */
  javaScriptLines: number;
  /** Of API and worker. */
  settings: number;
  /** That the bot library installs, with itself. */
  botPackages: number;
  /** In README.md and `docs/`, without the lines of tables. */
  docsWords: number;
}

/** A test compares .env.example with the settings. It has one variable of the bot more. */
function countSettings(): number {
  return (read('.env.example').match(/^#?[A-Z][A-Z_]+=/gm) ?? []).length - 1;
}

/** Packages that an installation of `start`, a key of the lock file, contains. */
function countInstalled(start: string): number {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { resolved?: string; link?: boolean; dependencies?: Record<string, string> }>;
  };
  const installed = new Set([start]);
  for (const path of installed) {
    for (const name of Object.keys(packages[path]?.dependencies ?? {})) {
      const { link, resolved } = packages[`node_modules/${name}`] ?? {};
      installed.add(link && resolved !== undefined ? resolved : `node_modules/${name}`);
    }
  }
  return installed.size;
}

const isWord = (text: string): boolean => /[^|:-]/.test(text);

function countWords(places: readonly string[]): number {
  return listFiles(places, '.md')
    .map((path) => read(path).split(/\s+/).filter(isWord).length)
    .reduce((sum, words) => sum + words, 0);
}

/** The folders whose files are counted. */
const MEASURED_FOLDERS = ['src', 'workers', 'packages', 'web', 'demo'];

export function measureStructure(files = readSourceFiles(MEASURED_FOLDERS)): StructureFigures {
  const importers = importersOf(files);
  const folders = new Map<string, number>();
  for (const { path } of files) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1);
  const isLonely = ({ path, lines }: SourceFile) => lines <= 45 && importers.get(path) === 1;
  return {
    files: files.length,
    lines: totalLines(files),
    filesAtRoot: folders.get('src') ?? 0,
    largestFolder: Math.max(...folders.values()),
    smallFiles: files.filter(({ lines }) => lines <= 20).length,
    smallFilesWithOneImporter: files.filter(isLonely).length,
    longFunctions: longFunctions(files).length,
    typesDeclaredTwice: typesDeclaredTwice(files).length,
    javaScriptLines: totalLines(readSourceFiles(['scripts'], '.mjs')),
    settings: countSettings(),
    botPackages: countInstalled('packages/bot'),
    docsWords: countWords(['README.md', 'docs']),
  };
}

const totalLines = (files: readonly SourceFile[]) => files.reduce((sum, { lines }) => sum + lines, 0);

function report(): string[] {
  const files = readSourceFiles(MEASURED_FOLDERS);
  const rows = Object.entries(measureStructure(files)).map(
    ([name, figure]) => `${name.padEnd(28)} ${figure}`,
  );
  const functions = longFunctions(files).map(({ id, lines }) => `  ${id} (${lines} lines)`);
  return [...rows, ...functions, ...typesDeclaredTwice(files).map((twice) => `  ${twice}`)];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  // `npm run structure | head` closes the pipe early.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  for (const line of report()) console.log(line);
}
