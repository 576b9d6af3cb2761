/** Whose package.json names none: what its LICENSE file says. */
const BY_FILE = new Map([['xmlhttprequest-ssl', 'MIT']]);
/** Builds for other systems, which the lock file knows by name only, have the licence of their family. */
const FAMILIES = new Map([['@msgpackr-extract/', 'MIT']]);

/** @type {typeof import('./render.d.mts').productionLicences} */
export function productionLicences({ packages }) {
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

/** @type {typeof import('./render.d.mts').renderLicences} */
export function renderLicences(lock) {
  const rows = productionLicences(lock);
  const counts = new Map();
  for (const { licence } of rows) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const summary = [...counts].sort(([, a], [, b]) => b - a).map(([licence, count]) => `${count} ${licence}`);
  return [
    '# Licences',
    '',
    `Of the ${rows.length} packages that an installation for production may hold: ${summary.join(', ')}.`,
    'Written by `node scripts/licences.mjs` from `package-lock.json`, and compared with it by a test.',
    '',
    '| package | version | licence |',
    '| --- | --- | --- |',
    ...rows.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`),
    '',
  ].join('\n');
}
