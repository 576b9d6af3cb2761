import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  dependenciesOf,
  directDependencies,
  type PackageLock,
  type LockedPackage,
  productionPackages,
} from './package-lock.ts';
import { PROJECT_DIR } from './paths.mjs';
import type { Main } from './run.mjs';

/** Writes a software bill of materials: `npm run sbom`, or `npm run sbom -- file`. */
export const main: Main = ({ args: [file = join(PROJECT_DIR, 'dist', 'sbom.json')] }) => {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(PROJECT_DIR, name), 'utf8'));
  const bill = createBill(read('package-lock.json') as PackageLock, read('package.json') as RootManifest);
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(bill, null, 2)}\n`);
  console.log(`wrote ${path}: ${bill.components.length} packages`);
  return Promise.resolve(0);
};

interface RootManifest {
  name: string;
  version: string;
}

/**
 * The packages of others that an installation for production may contain, in CycloneDX 1.6. `npm sbom --omit dev` leaves out those
 * that development dependencies use too.
 */
export function createBill(lock: PackageLock, { name, version }: RootManifest) {
  const packages = productionPackages(lock);
  const root = { name, version };
  const dependsOn = (dependencies: readonly LockedPackage[]) => [...new Set(dependencies.map(refOf))];
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        ...{ type: 'application', 'bom-ref': refOf(root), name, version, purl: purlOf(root) },
      },
    },
    components: packages.map(toComponent),
    dependencies: [
      { ref: refOf(root), dependsOn: dependsOn(directDependencies(lock)) },
      ...packages.map((one) => ({ ref: refOf(one), dependsOn: dependsOn(dependenciesOf(lock, one.path)) })),
    ],
  };
}

function toComponent(one: LockedPackage) {
  const { name, version, licence, integrity = '', optional } = one;
  const checksum = integrity.replace(/^sha512-/, '');
  return {
    ...{ type: 'library', 'bom-ref': refOf(one), name, version, purl: purlOf(one) },
    scope: optional ? 'optional' : 'required',
    licenses: [{ license: { id: licence } }],
    // The lock file has no checksum of builds for some other systems.
    ...(checksum && {
      hashes: [{ alg: 'SHA-512', content: Buffer.from(checksum, 'base64').toString('hex') }],
    }),
  };
}

type NameAndVersion = Pick<LockedPackage, 'name' | 'version'>;

const refOf = ({ name, version }: NameAndVersion): string => `${name}@${version}`;

/** Package URL: `pkg:npm/%40socket.io/redis-adapter@8.3.0`. */
const purlOf = ({ name, version }: NameAndVersion): string =>
  `pkg:npm/${name.replace('@', '%40')}@${version}`;
