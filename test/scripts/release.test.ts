import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { nextVersions } from '../../scripts/release/changelog.ts';
import { release, type ReleaseOptions } from '../../scripts/release/release.ts';
import { filesWithVersion } from '../../scripts/release/write-version.ts';
import { ROOT } from '../docs/pages.ts';

const { version: CURRENT } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
};
const NOTES = '### Added\n\n- A thing.';

let project: string;
let lines: string[];
/** A repository with every file of this one that a release changes. */
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'release-'));
  lines = [];
  for (const path of versionedFiles()) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    cpSync(join(ROOT, path), join(project, path));
  }
  writeFileSync(join(project, '.gitignore'), '.runtime/\nreleases/\n');
  writeFileSync(join(project, 'CHANGELOG.md'), `# Changelog\n\n## Unreleased\n\n${NOTES}\n`);
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Ann');
  git('config', 'user.email', 'ann@example.org');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'all');
});
afterEach(() => {
  rmSync(project, { recursive: true, force: true });
});

function versionedFiles(): string[] {
  const { manifests, quotes } = filesWithVersion(ROOT);
  return [...manifests, ...quotes.map(([path]) => path)];
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

const read = (path: string): string => readFileSync(join(project, path), 'utf8');

/** Packs one file, as large as the manifest of the checkout that it is packed from. */
function packOne(checkout: string, folder: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
  writeFileSync(join(folder, `server-${version}.tgz`), 'packed');
  return Promise.resolve();
}

const run = (version: string | undefined, over: Partial<ReleaseOptions> = {}) =>
  release({
    project,
    version,
    isDryRun: false,
    date: '2026-11-29',
    pack: packOne,
    log: (line) => lines.push(line),
    ...over,
  });

/** Everything that a release changes. */
const state = () => ({
  head: git('rev-parse', 'HEAD'),
  branch: git('branch', '--show-current'),
  tags: git('tag', '--list'),
  status: git('status', '--porcelain', '--ignored'),
  worktrees: git('worktree', 'list', '--porcelain').match(/^worktree .*/gm),
});

test('a release commits version and changelog on main, tags it, and leaves packages with checksums', async () => {
  await run(CURRENT);
  const changelog = `# Changelog\n\n## Unreleased\n\n## ${CURRENT} - 2026-11-29\n\n${NOTES}\n`;
  expect(read('CHANGELOG.md')).toBe(changelog);
  expect(git('rev-list', '-n', '1', `v${CURRENT}`)).toBe(git('rev-parse', 'main'));
  expect(git('tag', '--list', '--format=%(contents)')).toContain(NOTES);
  const folder = join(project, 'releases', CURRENT);
  expect(readdirSync(folder).sort()).toEqual(['SHA256SUMS', `server-${CURRENT}.tgz`]);
  execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder, stdio: 'pipe' });
  expect(git('status', '--porcelain')).toBe('');
  expect(git('worktree', 'list').split('\n')).toHaveLength(1);

  writeFileSync(join(project, 'CHANGELOG.md'), changelog.replace('Unreleased\n', `Unreleased\n\n${NOTES}\n`));
  git('commit', '--all', '--quiet', '--message', 'more');
  const [, minor = ''] = nextVersions(CURRENT);
  await run(minor);
  for (const path of versionedFiles()) {
    if (path !== 'package-lock.json') expect([path, read(path).includes(CURRENT)]).toEqual([path, false]);
    expect([path, read(path).includes(minor)]).toEqual([path, true]);
  }
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> };
  const original = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as typeof lock;
  const isOwn = (path: string) => !path.includes('node_modules/');
  for (const [path, { version }] of Object.entries(original.packages))
    expect([path, lock.packages[path]?.version]).toEqual([path, isOwn(path) ? minor : version]);
});

test('every file of this repository that has the version is changed by a release', () => {
  const found = execFileSync(
    'git',
    ['grep', '--files-with-matches', '--word-regexp', '--fixed-strings', CURRENT],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  const others =
    /^(?:CHANGELOG\.md|docs\/(?:reports|decisions)\/|docs\/guides\/upgrade\.md|test\/|ops\/alerts\.test\.yml|.*go\.(?:mod|sum)$|(?:site|examples)\/.*package-lock\.json$)/;
  const files = found
    .trim()
    .split('\n')
    .filter((path) => !others.test(path));
  expect(files.filter((path) => !versionedFiles().includes(path))).toEqual([]);
});

test.each([
  ['a version that is not next', () => '9.9.9', `9.9.9 is given; the next version is ${CURRENT}`],
  ['no version', () => undefined, 'no version is given'],
  [
    'a dirty checkout',
    () => writeAndReturn('package.json', '{"version": "0.1.0"}'),
    'has uncommitted changes',
  ],
  ['an untracked file', () => writeAndReturn('new.ts', ''), 'has uncommitted changes'],
  [
    'another branch',
    () => gitAndReturn('switch', '--quiet', '--create', 'other'),
    'the branch is other, not main',
  ],
  ['no branch', () => gitAndReturn('switch', '--quiet', '--detach'), 'the branch is detached, not main'],
  ['an existing tag', () => gitAndReturn('tag', `v${CURRENT}`), `the tag v${CURRENT} exists`],
  ['an empty "Unreleased"', emptyChangelog, '"Unreleased" in CHANGELOG.md is empty'],
])('a release of %s is refused, and changes nothing', async (_, prepare, reason) => {
  const version = prepare();
  const before = state();
  await expect(run(version)).rejects.toThrow(reason);
  expect(state()).toEqual(before);
});

function writeAndReturn(path: string, text: string): string {
  writeFileSync(join(project, path), text);
  return CURRENT;
}

function gitAndReturn(...args: string[]): string {
  git(...args);
  return CURRENT;
}

function emptyChangelog(): string {
  writeFileSync(join(project, 'CHANGELOG.md'), '# Changelog\n\n## Unreleased\n');
  git('commit', '--all', '--quiet', '--message', 'empty');
  return CURRENT;
}

test('all reasons are reported at once', async () => {
  writeFileSync(join(project, 'new.ts'), '');
  git('switch', '--quiet', '--create', 'other');
  await expect(run('9.9.9')).rejects.toThrow(/9\.9\.9 is given.*the branch is other.*uncommitted/s);
});

test.each([
  ['while it packs', { pack: () => Promise.reject(new Error('the disk is full')) }, 'the disk is full'],
  ['with a package of another version', { pack: packOld }, 'packages of another version'],
  ['without packages', { pack: () => Promise.resolve() }, 'none at all'],
  ['when main has moved on', { pack: packAndCommit }, ''],
  ['when it commits', { pack: packAndRefuseCommits }, 'refused by a hook'],
])('a release that fails %s leaves everything as it was', async (_, over, reason) => {
  const before = state();
  await expect(run(CURRENT, over)).rejects.toThrow(reason);
  rmSync(join(project, '.git/hooks/pre-commit'), { force: true });
  const after = state();
  // The commit that another process made stays.
  expect({ ...after, head: before.head }).toEqual(before);
  expect(existsSync(join(project, 'releases', CURRENT))).toBe(false);
  expect(read('CHANGELOG.md')).not.toContain(`## ${CURRENT}`);
});

function packOld(_checkout: string, folder: string): Promise<void> {
  writeFileSync(join(folder, 'server-0.0.9.tgz'), '');
  return Promise.resolve();
}

async function packAndCommit(checkout: string, folder: string): Promise<void> {
  await packOne(checkout, folder);
  git('commit', '--quiet', '--allow-empty', '--message', 'meanwhile');
}

async function packAndRefuseCommits(checkout: string, folder: string): Promise<void> {
  await packOne(checkout, folder);
  mkdirSync(join(project, '.git/hooks'), { recursive: true });
  writeFileSync(join(project, '.git/hooks/pre-commit'), '#!/bin/sh\necho refused by a hook >&2\nexit 1\n', {
    mode: 0o755,
  });
}

test('the temporary checkout of a release that was killed is removed at the next start', async () => {
  const before = state();
  const [killed, running] = [draftOf(await endedPid()), draftOf(process.ppid)];
  for (const draft of [killed, running]) git('worktree', 'add', '--quiet', '--detach', draft, 'HEAD');
  await run(undefined, { isDryRun: true });
  expect([killed, running].map((draft) => existsSync(draft))).toEqual([false, true]);
  git('worktree', 'remove', '--force', running);
  rmSync(join(project, '.runtime'), { recursive: true });
  expect(state()).toEqual(before);
});

const draftOf = (pid: number): string => join(project, `.runtime/release-${pid}`);

async function endedPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid!;
}

test('a dry run packs the next version, reports what would be refused, and changes nothing', async () => {
  git('switch', '--quiet', '--create', 'other');
  const before = state();
  const packed: string[] = [];
  await run(undefined, {
    isDryRun: true,
    pack: async (checkout, folder) => {
      await packOne(checkout, folder);
      packed.push(...readdirSync(folder));
      expect(readFileSync(join(checkout, 'CHANGELOG.md'), 'utf8')).toContain(`## ${CURRENT} - 2026-11-29`);
    },
  });
  expect(packed).toEqual([`server-${CURRENT}.tgz`]);
  expect(lines).toContain('a release would be refused: the branch is other, not main');
  // The version is part of paths.
  await expect(run('../../elsewhere', { isDryRun: true })).rejects.toThrow('the next version is');
  expect(state()).toEqual(before);
});
