import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { PROJECT_DIR } from '../paths.mjs';

interface PagesOptions {
  /** The folder of the pages. */
  out: string;
  /** Address of the sources, such as `https://…/blob/main`. Without it a link to a source file becomes plain text. */
  repository: string | undefined;
  /** The checkout. */
  root?: string;
}

/** Pages outside `docs/`, by their path on the site. */
const FURTHER_PAGES = {
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
  'CHANGELOG.md': 'changes.md',
};

/**
 * Copies the Markdown of the documentation. Links between pages are kept; links to other files lead to the repository.
 * @throws with all links that lead to no file or heading
 */
export function writePages({ out, repository, root = PROJECT_DIR }: PagesOptions): void {
  const pages = findPages(root);
  const dead: string[] = [];
  for (const [source, page] of pages) {
    const text = readFileSync(join(root, source), 'utf8');
    const rewritten = rewriteLinks(text, (target, label) => {
      const link = resolveLink({ root, pages, source, page, target, repository });
      if (link === undefined) dead.push(`${source}: ${target}`);
      return link === '' ? label : `[${label}](${link ?? target})`;
    });
    const file = join(out, page);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, rewritten);
  }
  if (dead.length > 0) throw new Error(`dead links:\n${dead.join('\n')}`);
  cpSync(join(root, 'docs', 'images'), join(out, 'images'), { recursive: true });
  cpSync(join(root, 'site', 'index.md'), join(out, 'index.md'));
}

/** Path in the repository → path on the site. */
function findPages(root: string): Map<string, string> {
  const pages = new Map<string, string>(Object.entries(FURTHER_PAGES));
  for (const name of readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })) {
    const path = name.replaceAll('\\', '/');
    // The root of the site has a page of its own.
    const page = path === 'README.md' ? 'contents.md' : path.replace(/(^|\/)README\.md$/, '$1index.md');
    if (path.endsWith('.md')) pages.set(`docs/${path}`, page);
  }
  for (const name of readdirSync(join(root, 'examples'))) {
    const readme = `examples/${name}/README.md`;
    if (existsSync(join(root, readme))) pages.set(readme, `examples/${name}.md`);
  }
  return pages;
}

/** Calls `rewrite` for each inline link outside of code blocks. An image is left as it is. */
function rewriteLinks(text: string, rewrite: (target: string, label: string) => string): string {
  return text
    .split(/^(```.*?^```)$/ms)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part.replace(
            /(?<!!)\[((?:[^[\]]|\[[^\]]*\])+)\]\(([^)\s]+)\)/g,
            (_, label: string, target: string) => rewrite(target, label),
          ),
    )
    .join('');
}

interface Link {
  root: string;
  pages: ReadonlyMap<string, string>;
  /** The page with the link, in the repository and on the site. */
  source: string;
  page: string;
  target: string;
  repository: string | undefined;
}

/** Returns the link's target on the site; '' for a source file without an address, undefined for a dead link. */
function resolveLink({ root, pages, source, page, target, repository }: Link): string | undefined {
  if (/^[a-z]+:/.test(target)) return target;
  const [file = '', heading] = target.split('#');
  const path = file === '' ? source : posix.join(posix.dirname(source), file);
  if (path.startsWith('..') || !existsSync(join(root, path))) return undefined;
  const readme = posix.join(path, 'README.md');
  const linked = pages.has(path) ? path : readme;
  const to = pages.get(linked);
  if (to === undefined) {
    if (repository === undefined) return '';
    const address = statSync(join(root, path)).isDirectory()
      ? repository.replace('/blob/', '/tree/')
      : repository;
    return `${address}/${path.replace(/\/$/, '')}${heading === undefined ? '' : `#${heading}`}`;
  }
  if (heading !== undefined && !anchorsOf(readFileSync(join(root, linked), 'utf8')).includes(heading))
    return undefined;
  const relative = posix.relative(posix.dirname(page), to);
  return `${relative.startsWith('.') ? '' : './'}${relative}${heading === undefined ? '' : `#${heading}`}`;
}

/** The anchors that GitHub derives from the headings of a page. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
