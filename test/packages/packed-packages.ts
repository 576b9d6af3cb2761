import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { childEnv } from '../harness/child-env.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc');
/** The libraries. The server is the package of the repository itself. */
export const LIBRARIES = ['contracts', 'bot', 'dashboard', 'mcp'] as const;
export type PackageName = (typeof LIBRARIES)[number] | 'server';

/** Folders that are not in git. */
const NOT_COPIED = new Set(['node_modules', 'dist', '.git', '.runtime', 'logs']);
const run = promisify(execFile);

interface Packed {
  filename: string;
  files: { path: string }[];
}

export type PackedPackages = Awaited<ReturnType<typeof packPackages>>;

/** Packs packages from a copy of the repository without built files. */
export async function packPackages(names: readonly PackageName[] = [...LIBRARIES, 'server']) {
  const directory = await mkdtemp(path.join(tmpdir(), 'packages-'));
  const checkout = path.join(directory, 'checkout');
  await copyCheckout(checkout);
  const packed = new Map<PackageName, Packed>();
  for (const name of names) {
    const folder = name === 'server' ? checkout : path.join(checkout, 'packages', name);
    packed.set(name, await pack(folder, directory));
  }

  return {
    /** A folder for further files. */
    directory,
    /** The copy of the repository. Its packages are built. */
    checkout,
    /** The paths in a tarball. */
    files: (name: PackageName): string[] => packed.get(name)!.files.map((file) => file.path),
    /**
     * Creates a project and installs the tarballs in it.
     * @param others  further packages, as `npm install` takes them
     */
    async install(
      type: 'commonjs' | 'module',
      names: readonly PackageName[],
      others: readonly string[] = [],
    ): Promise<string> {
      const project = await mkdtemp(path.join(directory, 'project-'));
      await writeFile(path.join(project, 'package.json'), JSON.stringify({ private: true, type }));
      const tarballs = names.map((name) => path.join(directory, packed.get(name)!.filename));
      const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
      await run('npm', ['install', ...tarballs, ...others, ...quiet], { cwd: project, env: childEnv() });
      return project;
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function copyCheckout(to: string): Promise<void> {
  await cp(ROOT, to, { recursive: true, filter: (from) => !NOT_COPIED.has(path.basename(from)) });
  const modules = path.join(to, 'node_modules');
  const own = path.join(modules, '@appointment-emissions');
  await mkdir(own, { recursive: true });
  const others = (await readdir(path.join(ROOT, 'node_modules'))).filter(
    (name) => name !== path.basename(own),
  );
  await Promise.all([
    ...others.map((name) => symlink(path.join(ROOT, 'node_modules', name), path.join(modules, name))),
    ...LIBRARIES.map((name) => symlink(path.join(to, 'packages', name), path.join(own, name))),
  ]);
}

async function pack(folder: string, directory: string): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', directory], {
    cwd: folder,
    env: childEnv(),
  });
  const [made] = JSON.parse(stdout) as [Packed];
  return made;
}
