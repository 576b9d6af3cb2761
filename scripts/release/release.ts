import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { processIdentity } from '../process/identity.mjs';
import { latestRelease, nextVersions, notesOf, releaseNotes } from './changelog.ts';
import { writeVersion } from './write-version.ts';

const CHANGELOG = 'CHANGELOG.md';
const BRANCH = 'main';
const CHECKSUMS = 'SHA256SUMS';
const RUNTIME = '.runtime';
/** Temporary checkouts are named by the process that releases. */
const DRAFT = 'release-';

export interface ReleaseOptions {
  /** The checkout that is released. */
  project: string;
  /** Without one, a dry run takes the next patch version. */
  version: string | undefined;
  /** Does everything in a temporary checkout, and discards it. */
  isDryRun: boolean;
  /** `2026-11-29` */
  date: string;
  /** Builds a checkout, and writes its packages into a folder. */
  pack: (checkout: string, folder: string) => Promise<void>;
  log: (line: string) => void;
}

/**
 * Releases the head of `main`: a commit with the version and the changelog, a tag, and the packages with their checksums in
 * `releases/<version>`. It works in a temporary checkout, and moves `main` last: if it fails, nothing has changed.
 * @throws if the state of the checkout does not allow a release; the message has all reasons
 */
export async function release(options: ReleaseOptions): Promise<void> {
  const { project, isDryRun, log } = options;
  const changelog = readFileSync(join(project, CHANGELOG), 'utf8');
  const { version: current } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    version: string;
  };
  const latest = latestRelease(changelog);
  const allowed = latest === undefined ? [current] : nextVersions(latest);
  const version = options.version ?? (isDryRun ? allowed[0] : undefined);
  const isNext = version !== undefined && allowed.includes(version);
  const problems = [
    ...(isNext ? [] : [`${version ?? 'no version'} is given; the next version is ${allowed.join(', ')}`]),
    ...(latest === undefined || latest === current
      ? []
      : [`package.json has the version ${current}, but ${CHANGELOG} has ${latest}`]),
    ...findProblems(project, changelog, version),
  ];
  if (!isNext || (problems.length > 0 && !isDryRun))
    throw new Error(`nothing was released:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  for (const problem of problems) log(`a release would be refused: ${problem}`);
  await releaseVersion(version, { ...options, changelog });
}

/** Why the checkout cannot be released now. */
function findProblems(project: string, changelog: string, version: string | undefined): string[] {
  const problems: string[] = [];
  const branch = git(project, 'branch', '--show-current');
  if (branch !== BRANCH) problems.push(`the branch is ${branch || 'detached'}, not ${BRANCH}`);
  if (git(project, 'status', '--porcelain') !== '') problems.push('the checkout has uncommitted changes');
  if (notesOf(changelog, 'Unreleased') === '') problems.push(`"Unreleased" in ${CHANGELOG} is empty`);
  if (version === undefined) return problems;
  if (git(project, 'tag', '--list', tagOf(version)) !== '') problems.push(`the tag ${tagOf(version)} exists`);
  if (existsSync(folderOf(project, version)))
    problems.push(`the folder ${folderOf(project, version)} exists`);
  return problems;
}

/** Removes the temporary checkouts of releases that were killed. */
function removeStaleDrafts(project: string): void {
  const runtime = join(project, RUNTIME);
  const found = existsSync(runtime) ? readdirSync(runtime).filter((name) => name.startsWith(DRAFT)) : [];
  const stale = found.filter((name) => processIdentity(Number(name.slice(DRAFT.length))) === undefined);
  for (const name of stale) rmSync(join(runtime, name), { recursive: true, force: true });
  if (stale.length > 0) git(project, 'worktree', 'prune');
}

async function releaseVersion(
  version: string,
  { project, isDryRun, date, pack, log, changelog }: ReleaseOptions & { changelog: string },
): Promise<void> {
  removeStaleDrafts(project);
  const draft = join(project, RUNTIME, `${DRAFT}${process.pid}`);
  const packed = join(draft, 'releases', version);
  // Each step that a later failure must undo.
  const undo: (() => void)[] = [
    () => {
      rmSync(draft, { recursive: true, force: true });
      git(project, 'worktree', 'prune');
    },
  ];
  try {
    git(project, 'worktree', 'add', '--detach', draft, 'HEAD');
    writeVersion(draft, version);
    writeFileSync(join(draft, CHANGELOG), releaseNotes(changelog, version, date));
    log(git(draft, 'diff', '--stat'));
    mkdirSync(packed, { recursive: true });
    await pack(draft, packed);
    writeChecksums(packed, version);
    log(readFileSync(join(packed, CHECKSUMS), 'utf8').trim());
    if (isDryRun) {
      log(`dry run of ${version}: nothing was changed`);
      return;
    }
    git(draft, 'commit', '--all', '--quiet', '--message', `chore: release ${version}`);
    const commit = git(draft, 'rev-parse', 'HEAD');

    const folder = folderOf(project, version);
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(packed, folder);
    const removeFolder = () => {
      rmSync(folder, { recursive: true, force: true });
    };
    undo.push(removeFolder);
    const notes = notesOf(releaseNotes(changelog, version, date), version);
    git(
      project,
      'tag',
      '--annotate',
      '--cleanup=verbatim',
      '--message',
      `${version}\n\n${notes}`,
      tagOf(version),
      commit,
    );
    const removeTag = () => git(project, 'tag', '--delete', tagOf(version));
    undo.push(removeTag);
    git(project, 'merge', '--ff-only', '--quiet', commit);
    undo.splice(1);
    log(`released ${version}: ${BRANCH} and ${tagOf(version)} here, packages in ${folder}`);
    log(
      `publish it: git push origin ${BRANCH} ${tagOf(version)}; npm publish each .tgz; twine upload the .whl`,
    );
  } finally {
    for (const step of undo.reverse()) {
      try {
        step();
      } catch (error) {
        log(`not undone: ${String(error)}`);
      }
    }
  }
}

/** Writes the checksums of the packages, as `sha256sum --check` reads them. @throws if a package has another version */
function writeChecksums(folder: string, version: string): void {
  const files = readdirSync(folder).sort();
  const wrong = files.filter((file) => !file.includes(`-${version}`));
  if (files.length === 0 || wrong.length > 0)
    throw new Error(`packages of another version than ${version}: ${wrong.join(', ') || 'none at all'}`);
  const lines = files.map((file) => {
    const digest = createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
    return `${digest}  ${file}\n`;
  });
  writeFileSync(join(folder, CHECKSUMS), lines.join(''));
}

const tagOf = (version: string): string => `v${version}`;
const folderOf = (project: string, version: string): string => join(project, 'releases', version);

/** Runs git in a checkout, and returns its output. @throws with git's own message */
function git(checkout: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: checkout,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}
