import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Files below a folder with this ending, relative to the checkout, without installed packages. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !/(^|[/\\])node_modules[/\\]/.test(name))
    .map((name) => join(folder, name));
}

/** Rows of the first table under a heading, by column name; without backticks. */
export function tableUnder(page: string, heading: string): Record<string, string>[] {
  const lines = page.split('\n');
  const from = lines.findIndex((line) => new RegExp(`^#+ ${heading}$`).test(line));
  if (from < 0) throw new Error(`the page has no heading "${heading}"`);
  const to = lines.findIndex((line, index) => index > from && line.startsWith('#'));
  const section = lines.slice(from + 1, to < 0 ? undefined : to);
  const start = section.findIndex((line) => line.startsWith('|'));
  const rows = section.slice(start).filter((line) => line.startsWith('|'));
  const [names = [], , ...cells] = rows.map(cellsOf);
  return cells.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? ''])));
}

/** All code blocks of a page in this language. */
export function codeIn(page: string, language: string): string {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))]
    .map(([, code = '']) => code)
    .join('\n');
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', '').replaceAll('\\|', '|'));
}
