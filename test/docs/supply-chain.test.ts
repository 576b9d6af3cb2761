import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { installedBelow, type PackageLock, productionPackages } from '../../scripts/package-lock.ts';
import type { createBill } from '../../scripts/sbom.ts';
import { childEnv } from '../harness/child-env.ts';
import { codeIn, filesBelow, readPage, ROOT, tableUnder } from './pages.ts';

type Dependencies = Record<'dependencies' | 'devDependencies', Record<string, string>>;

const readLock = (path: string) => JSON.parse(readPage(path)) as PackageLock;

const lock = readLock('package-lock.json');
const manifest = JSON.parse(readPage('package.json')) as Dependencies;
const mcp = JSON.parse(readPage('packages/mcp/package.json')) as Dependencies;
const page = readPage('docs/reference/packages.md');
/** Packages of others, without our workspaces. */
const locked = Object.entries(lock.packages).filter(
  ([path, { link }]) => path.startsWith('node_modules/') && !link,
);
const isOurs = (name: string) => name.startsWith('@appointment-emissions/');

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
    expect(lock.packages[isOurs(name) ? workspace : `node_modules/${name}`]?.version).toBe(version);
  }
});

test('every locked package has a checksum, except for unavailable builds for other systems', () => {
  const without = locked.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  const installed = without.filter(
    ([path, { optional, os }]) => !optional || os === undefined || existsSync(join(ROOT, path)),
  );
  expect(installed).toEqual([]);
});

test.each(OTHER_LOCKS)('every package that %s installs has a checksum, except for ours', (file) => {
  const { packages } = readLock(file);
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

test('docs/reference/packages.md lists the dependencies of server and MCP server, with what they install', () => {
  const names = Object.keys({ ...manifest.dependencies, ...mcp.dependencies }).filter(
    (name) => !isOurs(name),
  );
  const documented = tableUnder(page, 'Dependencies').map((row) => ({
    package: row['package'],
    installs: Number(row['installs']),
    licence: row['licence'],
  }));
  const actual = names.map((name) => {
    const path = `node_modules/${name}`;
    const installs = 1 + installedBelow(lock, path).length;
    return { package: name, installs, licence: lock.packages[path]?.license };
  });
  expect(documented).toEqual(actual.sort((a, b) => (a.package < b.package ? -1 : 1)));
});

test('docs/reference/packages.md counts the licences of production, all permissive', () => {
  const licences = productionPackages(lock).map(({ licence }) => licence);
  const counted = tableUnder(page, 'Licences').map((row) => [row['licence'], row['packages for production']]);
  const actual = [...new Set(licences)].map((kind) => [
    kind,
    String(licences.filter((one) => one === kind).length),
  ]);
  expect(counted.sort()).toEqual(actual.sort());
  expect(licences.filter((kind) => !PERMISSIVE.has(kind))).toEqual([]);
});

test('every dependency for production is imported by API, worker or their commands', () => {
  const sources = ['src', 'workers'].flatMap((folder) => filesBelow(folder, '.ts')).map(readPage);
  const isImported = (name: string) =>
    sources.some((source) => source.includes(`'${name}'`) || source.includes(`'${name}/`));
  expect(Object.keys(manifest.dependencies).filter((name) => !isImported(name))).toEqual([]);
});

type Bill = ReturnType<typeof createBill>;

const runCommand = promisify(execFile);
const commandOptions = { cwd: ROOT, env: childEnv(), maxBuffer: 1e8 };

test('the documented command writes a bill of materials with all packages for production and no other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sbom-'));
  try {
    const file = join(folder, 'sbom.json');
    const [program = '', ...args] = codeIn(page, 'sh').trim().split(' ');
    await runCommand(program, [...args, '--', file], commandOptions);
    const bill = JSON.parse(readFileSync(file, 'utf8')) as Bill;

    const refs = bill.components.map((component) => component['bom-ref']);
    expect(refs).toEqual(productionPackages(lock).map(({ name, version }) => `${name}@${version}`));
    const used = bill.dependencies.flatMap(({ dependsOn }) => dependsOn);
    expect([...new Set(used)].sort()).toEqual(refs.sort());

    // npm's own bill leaves packages out, but agrees on those that it has.
    const { stdout } = await runCommand(
      'npm',
      ['sbom', '--omit=dev', '--sbom-format=cyclonedx'],
      commandOptions,
    );
    const { components } = JSON.parse(stdout) as Pick<Bill, 'components'>;
    const facts = ({ purl, hashes }: Bill['components'][number]) => ({ purl, hashes });
    const ofNpm = components.filter(({ purl }) => !purl.includes('%40appointment-emissions')).map(facts);
    expect(ofNpm.length).toBeGreaterThan(50);
    expect(bill.components.map(facts)).toEqual(expect.arrayContaining(ofNpm));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
