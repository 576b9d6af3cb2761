import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildPackages, compile, finishDeclarations, replaceFolder } from './build-packages.ts';
import { buildPage } from './build-page.ts';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { command } from './process/command.ts';
import type { Main } from './run.mjs';

/** Writes dist/, as production runs it. */
export const main: Main = async () => {
  await build({ log: console.log });
  return 0;
};

/** Builds next to dist/ and then exchanges the folders: a process that runs from dist/ never finds half of it. */
export async function build({ log }: { log: (line: string) => void }): Promise<void> {
  const draft = join(RUNTIME_DIR, `dist-${process.pid}`);
  try {
    log('compiling the packages');
    await buildPackages({ log });
    log('compiling the server');
    await compile('tsconfig.build.json', draft, log);
    finishDeclarations(draft);
    copyLuaScripts(draft);
    copyRedisUsers(draft);
    await writeCommit(draft);
    log('bundling the pages and the browser library');
    await buildPage(join(draft, 'page'));
    replaceFolder(draft, join(PROJECT_DIR, 'dist'));
    log('built dist/');
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Copies the scripts that Redis runs: tsc omits what is not TypeScript. */
function copyLuaScripts(draft: string): void {
  for (const folder of ['src', 'workers']) {
    const files = readdirSync(join(PROJECT_DIR, folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.lua'))) {
      const target = join(draft, folder, file);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(PROJECT_DIR, folder, file), target);
    }
  }
}

/** Copies the rules of Redis' users: `emissions doctor` compares them with a user's rights. */
function copyRedisUsers(draft: string): void {
  cpSync(join(PROJECT_DIR, 'ops/redis/users.acl'), join(draft, 'ops/redis/users.acl'));
}

/**
 * Writes the commit that is built, for the metric `emission_build_info`: that of the Git clone, else `BUILD_COMMIT`, which the build of
 * the image sets.
 */
async function writeCommit(draft: string): Promise<void> {
  const isClone = existsSync(join(PROJECT_DIR, '.git'));
  const head = isClone ? await command('git', ['rev-parse', 'HEAD'], { cwd: PROJECT_DIR }) : undefined;
  const commit = head && !head.failed ? head.stdout.trim() : process.env['BUILD_COMMIT'];
  if (commit) writeFileSync(join(draft, 'commit'), commit);
}
