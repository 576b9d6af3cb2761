/** An entry of package-lock.json. */
interface LockEntry {
  version: string;
  license?: string;
  /** `sha512-` and the checksum of its archive in base64. */
  integrity?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  dev?: boolean;
  optional?: boolean;
  /** True for a link to one of our own packages. */
  link?: boolean;
  hasInstallScript?: boolean;
  os?: string[];
}

export interface PackageLock {
  /** By path, such as `node_modules/debug/node_modules/ms`; the root has an empty path. */
  packages: Record<string, LockEntry>;
}

/** A locked package of others. */
export interface LockedPackage extends LockEntry {
  path: string;
  name: string;
  /** SPDX identifier, or `unknown`. */
  licence: string;
}

/** Packages whose package.json names no licence: what their LICENSE file says. */
const BY_FILE = new Map([['xmlhttprequest-ssl', 'MIT']]);
/** Builds for other systems, of which the lock file has only the name, have the licence of their family. */
const FAMILIES = new Map([['@msgpackr-extract/', 'MIT']]);
const FOLDER = 'node_modules/';

/**
 * Packages of others that an installation of the server and our packages for production may contain. Each name and version comes once.
 * The flags of the lock file do not say it: an optional package that a development dependency uses too is `devOptional`, as is a peer.
 */
export function productionPackages(lock: PackageLock): LockedPackage[] {
  const found = new Map<string, LockedPackage>();
  for (const locked of ownPaths(lock).flatMap((path) => installedBelow(lock, path)))
    found.set(`${locked.name}@${locked.version}`, locked);
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Packages of others that the manifests of the server and of our packages name. */
export function directDependencies(lock: PackageLock): LockedPackage[] {
  return ownPaths(lock).flatMap((path) => dependenciesOf(lock, path).filter(({ link }) => !link));
}

const ownPaths = ({ packages }: PackageLock): string[] =>
  Object.keys(packages).filter((path) => !path.includes(FOLDER));

function toLockedPackage(path: string, entry: LockEntry): LockedPackage {
  const name = path.slice(path.lastIndexOf(FOLDER) + FOLDER.length);
  const [, ofFamily] = [...FAMILIES].find(([family]) => name.startsWith(family)) ?? [];
  return { ...entry, path, name, licence: entry.license ?? BY_FILE.get(name) ?? ofFamily ?? 'unknown' };
}

/** What a package depends on, without optional packages that the lock file omits. */
export function dependenciesOf({ packages }: PackageLock, path: string): LockedPackage[] {
  const { dependencies, optionalDependencies } = packages[path] ?? {};
  return Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => {
    const found = resolveFrom(packages, path, name) ?? '';
    const entry = packages[found];
    return found === '' || !entry ? [] : toLockedPackage(found, entry);
  });
}

/** Everything that is installed for a package, without itself and without our own packages. @param path  empty for the root */
export function installedBelow(lock: PackageLock, path: string): LockedPackage[] {
  const found = new Map<string, LockedPackage>();
  const addDependencies = (from: string): void => {
    for (const one of dependenciesOf(lock, from)) {
      if (found.has(one.path) || one.link) continue;
      found.set(one.path, one);
      addDependencies(one.path);
    }
  };
  addDependencies(path);
  return [...found.values()];
}

/** The path at which Node finds a dependency: in the package's own node_modules, else in those of the folders above. */
function resolveFrom(packages: PackageLock['packages'], from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf(FOLDER) - 1))) {
    const path = `${folder === '' ? '' : `${folder}/`}${FOLDER}${name}`;
    if (packages[path]) return path;
    if (folder === '') return undefined;
  }
}
