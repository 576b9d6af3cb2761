import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { withLock } from '../process/lock.mjs';
import { findOnPath } from './find-program.ts';

export interface DebianPackageOptions {
  /** Of the package, such as `firefox-esr`. */
  name: string;
  /** Folder below `.runtime`. */
  folder: string;
  /** Whether the packages that it needs, and that the system lacks, are unpacked too. */
  hasDependencies: boolean;
  /** Called before a download. */
  onDownload: () => void;
}

/**
 * Unpacks a package of Debian once below `.runtime`. This needs no root, and changes nothing else.
 * @returns the folder that it is unpacked in, or why this is not possible and how to install it
 */
export async function unpackDebianPackage({
  name,
  folder,
  hasDependencies,
  onDownload,
}: DebianPackageOptions): Promise<{ root: string } | { reason: string }> {
  const dir = join(RUNTIME_DIR, folder);
  const root = join(dir, 'root');
  // Written last, so that an interrupted installation starts again. It contains the reason if there is one; else it is empty.
  const stamp = join(dir, '.stamp');
  await withLock(join(RUNTIME_DIR, 'locks', `${folder}.lock`), async () => {
    if (existsSync(stamp)) return;
    onDownload();
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(root, { recursive: true });
    writeFileSync(stamp, (await unpack({ name, dir, root, hasDependencies })) ?? '');
  });
  const reason = readFileSync(stamp, 'utf8');
  if (reason === '') return { root };
  const install = `install it (apt-get install ${name})`;
  return { reason: `${install}, or delete ${dir} to try the download again: ${reason}` };
}

/** Downloads and unpacks the package. @returns why this is not possible */
async function unpack({
  name,
  dir,
  root,
  hasDependencies,
}: {
  name: string;
  dir: string;
  root: string;
  hasDependencies: boolean;
}): Promise<string | undefined> {
  if (!findOnPath(['apt-get']) || !findOnPath(['dpkg-deb'])) return 'there is no apt-get or dpkg-deb here';
  const [lists, cache, debs] = ['lists', 'cache', 'debs'].map((part) => join(dir, part)) as [
    string,
    string,
    string,
  ];
  mkdirSync(join(lists, 'partial'), { recursive: true });
  mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
  mkdirSync(debs);
  // Its own package lists: those of the system can be missing, or name versions that have been replaced.
  const own = [`Dir::State::Lists=${lists}`, `Dir::Cache=${cache}`, 'Debug::NoLocking=true'];
  const limits = ['APT::Sandbox::User=root', 'Acquire::Languages=none', 'Acquire::http::Timeout=15'];
  const aptGet = (...args: string[]) =>
    command('apt-get', ['--quiet', ...[...own, ...limits].flatMap((option) => ['-o', option]), ...args], {
      cwd: debs,
    });

  const updated = await aptGet('update');
  if (updated.failed) return excerptOf(updated);
  let names = [name];
  if (hasDependencies) {
    const planned = await aptGet('--simulate', '--no-install-recommends', 'install', name);
    if (planned.failed) return excerptOf(planned);
    names = [...planned.stdout.matchAll(/^Inst (\S+)/gm)].map(([, missing]) => missing ?? '');
  }
  const downloaded = await aptGet('download', ...names);
  if (downloaded.failed) return excerptOf(downloaded);
  for (const deb of readdirSync(debs)) {
    const unpacked = await command('dpkg-deb', ['--extract', join(debs, deb), root]);
    if (unpacked.failed) return excerptOf(unpacked);
  }
  for (const part of [lists, cache, debs]) rmSync(part, { recursive: true, force: true });
  return undefined;
}
