import { readFile, stat } from 'node:fs/promises';
import { basename, extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';

interface PageFile {
  body: Buffer;
  lastModified: Date;
  size: number;
}

/** Folder of the built pages in this package. */
export function builtPages(): string {
  return fileURLToPath(new URL('.', import.meta.resolve('#page/index.html')));
}

/**
 * Serves the files of the built pages. Each is one Buffer that all answers share, so an answer that waits for its client
 * holds neither a copy nor an open file. A file is read again when it has changed. At most the files of the folder
 * are kept.
 * @param basePath  With one, each page names its assets, and itself, by the paths that the browser sees. It holds no
 * character that HTML reads as more than text: the settings check that.
 * @param linksLeftOut  Pages that are not served, as the pages name them. Links to them are removed. Only with a `basePath`.
 */
export function servePageFiles(
  dir: string,
  basePath = '',
  linksLeftOut: readonly string[] = [],
): RequestHandler {
  const root = resolve(dir);
  const kept = new Map<string, PageFile>();

  async function read(path: string): Promise<PageFile | 'folder' | undefined> {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) return 'folder';
    if (!found?.isFile()) return undefined;
    const known = kept.get(path);
    if (known?.size === found.size && known.lastModified.getTime() === found.mtime.getTime()) return known;
    const content = await readFile(path);
    const isPage = basePath !== '' && extname(path) === '.html';
    const body = isPage
      ? Buffer.from(withBasePath(withoutLinks(content.toString(), linksLeftOut), basePath))
      : content;
    const file = { body, lastModified: found.mtime, size: found.size };
    kept.set(path, file);
    return file;
  }

  return async (req, res, next) => {
    const path = req.method === 'GET' || req.method === 'HEAD' ? pathOf(root, req.path) : undefined;
    if (path === undefined) {
      next();
      return;
    }
    const isFolder = req.path.endsWith('/');
    const file = await read(isFolder ? join(path, 'index.html') : path);
    if (file === 'folder' && !isFolder) {
      // Relative, so that it holds behind a proxy that strips a prefix.
      res.redirect(301, `./${basename(path)}/`);
      return;
    }
    if (file === undefined || file === 'folder') {
      next();
      return;
    }
    res.set({ 'Cache-Control': 'public, max-age=0', 'Last-Modified': file.lastModified.toUTCString() });
    res.type(isFolder ? '.html' : extname(path)).send(file.body);
  };
}

/** The file or folder that a URL's path names below `root`; none if it is malformed, hidden or leads outside. */
function pathOf(root: string, urlPath: string): string | undefined {
  try {
    const path = decodeURIComponent(urlPath);
    const found = resolve(join(root, path));
    const isInside = found === root || found.startsWith(root + sep);
    return !isInside || path.includes('\0') || /(^|[/\\])\./.test(path) ? undefined : found;
  } catch {
    return undefined;
  }
}

function withoutLinks(page: string, paths: readonly string[]): string {
  return paths.reduce((rest, path) => rest.replace(new RegExp(`\\s*<a href="${path}">[^<]*</a>`), ''), page);
}

function withBasePath(page: string, basePath: string): string {
  return page
    .replaceAll(/ (href|src)="\/(?!\/)/g, ` $1="${basePath}/`)
    .replace('<meta charset="utf-8" />', `$&\n    <meta name="base-path" content="${basePath}" />`);
}
