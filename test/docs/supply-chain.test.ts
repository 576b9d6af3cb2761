import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import { productionLicences, renderLicences, type Lock, type LockEntry } from '../../scripts/licences.ts';
import { filesBelow, readPage, ROOT } from './pages.ts';

const lock = JSON.parse(readPage('package-lock.json')) as Lock;
const manifest = JSON.parse(readPage('package.json')) as Record<
  'dependencies' | 'devDependencies',
  Record<string, string>
>;
/** Packages of others, without our workspaces. */
const locked = Object.entries(lock.packages).filter(
  ([path, { link }]) => path.startsWith('node_modules/') && !link,
);

/** Lock files outside of the workspaces. */
const OTHER_LOCKS = [...filesBelow('examples', 'package-lock.json'), 'site/package-lock.json'];

/** Permissive licences. */
const PERMISSIVE = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0']);

test('package.json and package-lock.json have the same exact versions', () => {
  for (const [name, given] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    // An alias names its package: npm:express@4.22.3.
    const version = given.replace(/^npm:[^@]+@/, '');
    expect({ name, version }).toEqual({ name, version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    const workspace = `packages/${name.split('/').at(-1)}`;
    const isOurs = lock.packages[`node_modules/${name}`]?.link === true;
    expect(lock.packages[isOurs ? workspace : `node_modules/${name}`]?.version).toBe(version);
  }
});

test('every locked package has a checksum, except for unavailable builds for other systems', () => {
  const without = locked.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  const isForElsewhere = (path: string, { optional, os }: LockEntry) =>
    optional === true && os !== undefined && !existsSync(join(ROOT, path));
  expect(without.filter(([path, entry]) => !isForElsewhere(path, entry))).toEqual([]);
});

test.each(OTHER_LOCKS)('every package that %s installs has a checksum, except for ours', (file) => {
  const { packages } = JSON.parse(readPage(file)) as Lock;
  const without = Object.entries(packages).filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  const ours = /^$|^node_modules\/@appointment-emissions\/(contracts|dashboard)$/;
  expect(without.map(([path]) => path).filter((path) => !ours.test(path))).toEqual([]);
});

test('no package needs its install script: in production only an optional one has a script', () => {
  const scripted = locked.filter(([, { hasInstallScript, dev }]) => hasInstallScript && !dev);
  expect(scripted.map(([path, { optional }]) => [path, optional])).toEqual([
    ['node_modules/msgpackr-extract', true],
  ]);
  // These tests and the image run without install scripts.
  expect(readPage('scripts/run-npm.mjs')).toContain("'--ignore-scripts'");
  expect(readPage('Dockerfile').match(/npm (ci|install)[^&\n]*/g)).toEqual(
    readPage('Dockerfile').match(/npm (ci|install)[^&\n]*--ignore-scripts[^&\n]*/g),
  );
});

test('docs/reference/licences.md lists the licences of the lock file, all permissive', async () => {
  const options = { ...(await resolveConfig('docs/reference/licences.md')), parser: 'markdown' };
  expect(readPage('docs/reference/licences.md')).toBe(await format(renderLicences(lock), options));
  expect(productionLicences(lock).filter(({ licence }) => !PERMISSIVE.has(licence))).toEqual([]);
});
