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

/** docs/reference/licences.md, not formatted yet: one line for each licence, the most frequent first. */
export function renderLicences(lock: Lock): string {
  const namesOf = new Map<string, Set<string>>();
  for (const { name, licence } of productionLicences(lock))
    namesOf.set(licence, (namesOf.get(licence) ?? new Set()).add(name));
  const mostFrequentFirst = [...namesOf].sort(([, a], [, b]) => b.size - a.size);
  return [
    '# Licences',
    '',
    'Packages that an installation for production may contain. Written by `node scripts/run.mjs licences` from',
    '`package-lock.json`, which has the versions; a test compares both.',
    '',
    ...mostFrequentFirst.map(
      ([licence, names]) =>
        `- **${licence}** (${names.size}): ${[...names].map((name) => `\`${name}\``).join(', ')}`,
    ),
    '',
  ].join('\n');
}
