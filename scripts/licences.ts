import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { PROJECT_DIR } from './paths.mjs';
import type { Main } from './run.mjs';

const PAGE = join(PROJECT_DIR, 'docs', 'reference', 'licences.md');
/** Packages whose package.json names no licence: what their LICENSE file says. */
const BY_FILE = new Map([['xmlhttprequest-ssl', 'MIT']]);
/** Builds for other systems, of which the lock file has only the name, have the licence of their family. */
const FAMILIES = new Map([['@msgpackr-extract/', 'MIT']]);

/** What we read of an entry of package-lock.json. */
export interface LockEntry {
  version: string;
  license?: string;
  integrity?: string;
  dev?: boolean;
  devOptional?: boolean;
  optional?: boolean;
  /** True for a link to one of our own packages. */
  link?: boolean;
  hasInstallScript?: boolean;
  os?: string[];
}

export interface Lock {
  packages: Record<string, LockEntry>;
}

/** Writes docs/reference/licences.md. */
export const main: Main = async () => {
  const lock = JSON.parse(readFileSync(join(PROJECT_DIR, 'package-lock.json'), 'utf8')) as Lock;
  writeFileSync(
    PAGE,
    await format(renderLicences(lock), { ...(await resolveConfig(PAGE)), parser: 'markdown' }),
  );
  return 0;
};

/** Packages that an installation for production may contain, with their licences, by name. */
export function productionLicences({ packages }: Lock): { name: string; version: string; licence: string }[] {
  return Object.entries(packages)
    .filter(
      ([path, { dev, devOptional, link }]) => path.includes('node_modules/') && !link && !dev && !devOptional,
    )
    .map(([path, { version, license }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const [, ofFamily] = [...FAMILIES].find(([family]) => name.startsWith(family)) ?? [];
      return { name, version, licence: license ?? BY_FILE.get(name) ?? ofFamily ?? 'unknown' };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version.localeCompare(b.version)));
}

/** docs/reference/licences.md, not formatted yet. */
export function renderLicences(lock: Lock): string {
  const rows = productionLicences(lock);
  const counts = new Map<string, number>();
  for (const { licence } of rows) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const summary = [...counts].sort(([, a], [, b]) => b - a).map(([licence, count]) => `${count} ${licence}`);
  return [
    '# Licences',
    '',
    `Of the ${rows.length} packages that an installation for production may contain: ${summary.join(', ')}.`,
    'Written by `node scripts/run.mjs licences` from `package-lock.json`; a test compares both.',
    '',
    '| package | version | licence |',
    '| --- | --- | --- |',
    ...rows.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`),
    '',
  ].join('\n');
}
