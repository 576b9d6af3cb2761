/**
 * Prints the figures of the code's structure: sizes, long functions, names declared twice. `npm run structure`.
 * test/structure.test.ts holds the limits.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const MAX_FUNCTION_LINES = 60;

export interface SourceFile {
  path: string;
  text: string;
  /** Lines of code and comments, without the last line break. */
  lines: number;
  tree: ts.SourceFile;
}

/** Reads the TypeScript files below some folders, as git knows them. */
export function readSourceFiles(folders: readonly string[]): SourceFile[] {
  const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...folders], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  // A file that is deleted but not yet staged is still listed.
  const paths = list.split('\n').filter((path) => path.endsWith('.ts') && existsSync(join(ROOT, path)));
  return paths.map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    return { path, text, lines: text.trimEnd().split('\n').length, tree };
  });
}

/** Functions longer than {@link MAX_FUNCTION_LINES}, as `path: name (lines)`. A function's own inner functions count. */
export function longFunctions(files: readonly SourceFile[]): { id: string; lines: number }[] {
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
export function typesDeclaredTwice(files: readonly SourceFile[]): string[] {
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

/** Rows of the table: what is counted, and how many there are. */
export function measureStructure(): [string, string][] {
  const files = readSourceFiles(['src', 'workers', 'packages', 'web', 'demo']);
  const importers = importersOf(files);
  const folders = new Map<string, number>();
  for (const { path } of files) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1);
  const total = (list: readonly SourceFile[]) => list.reduce((sum, { lines }) => sum + lines, 0);
  const scripts = execFileSync('git', ['ls-files', 'scripts'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((path) => path.endsWith('.mjs'))
    .reduce((sum, path) => sum + readFileSync(join(ROOT, path), 'utf8').split('\n').length - 1, 0);
  const small = files.filter(({ lines }) => lines <= 20);
  const lonely = files.filter(({ path, lines }) => lines <= 45 && importers.get(path) === 1);
  return [
    ['files / lines in src, workers, packages, web, demo', `${files.length} / ${total(files)}`],
    ['files at the root of src', String(folders.get('src') ?? 0)],
    ['largest folder', [...folders].sort(([, a], [, b]) => b - a)[0]?.join(': ') ?? ''],
    ['files of at most 20 lines', String(small.length)],
    ['files of at most 45 lines with one importer', String(lonely.length)],
    [`functions over ${MAX_FUNCTION_LINES} lines`, String(longFunctions(files).length)],
    ['type names declared twice', String(typesDeclaredTwice(files).length)],
    ['script lines in JavaScript, mostly run before the install', String(scripts)],
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [what, figure] of measureStructure()) console.log(`${what.padEnd(56)} ${figure}`);
  const files = readSourceFiles(['src', 'workers', 'packages', 'web', 'demo']);
  for (const { id, lines } of longFunctions(files)) console.log(`  ${id} (${lines} lines)`);
  for (const twice of typesDeclaredTwice(files)) console.log(`  ${twice}`);
}
