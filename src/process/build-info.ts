import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Versions of the code of this process. */
export interface BuildInfo {
  /** Of the package, in three numbers. */
  version: string;
  /** Of Node.js, without the `v`. */
  node: string;
  /** The commit that was built, 40 hexadecimal digits; undefined for sources, and for a build outside of a Git clone without `BUILD_COMMIT`. */
  commit: string | undefined;
}

const PACKAGE = 'appointment-emission-pipeline';
/** The build writes it into dist/. */
const COMMIT_FILE = 'dist/commit';
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Reads the versions from the files of the package.
 * @param from  folder of this file
 */
export function readBuildInfo(from = import.meta.dirname): BuildInfo {
  const { dir, version } = findPackage(from);
  const commitFile = join(dir, COMMIT_FILE);
  const isBuilt = from.startsWith(join(dir, 'dist'));
  const commit = isBuilt && existsSync(commitFile) ? readFileSync(commitFile, 'utf8').trim() : '';
  return { version, node: process.versions.node, commit: COMMIT.test(commit) ? commit : undefined };
}

/** The folder of our package: this file is at another depth in the sources than in dist/. */
function findPackage(from: string): { dir: string; version: string } {
  for (let dir = from; dir !== dirname(dir); dir = dirname(dir)) {
    const file = join(dir, 'package.json');
    if (!existsSync(file)) continue;
    const { name, version } = readManifest(file);
    if (name === PACKAGE) return { dir, version: typeof version === 'string' ? version : 'unknown' };
  }
  return { dir: from, version: 'unknown' };
}

/** Empty if the file cannot be read: a damaged package.json must not end the process. */
function readManifest(file: string): { name?: unknown; version?: unknown } {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8'))) as { name?: unknown; version?: unknown };
  } catch {
    return {};
  }
}
