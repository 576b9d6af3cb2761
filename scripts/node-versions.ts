import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from './paths.mjs';
import { command, excerptOf } from './process/command.ts';
import type { Main } from './run.mjs';

/** `node scripts/run.mjs node-versions 22`: prints the path of {@link ensureNode}. */
export const main: Main = async ({ args: [major = ''] }) => {
  if (!/^\d+$/.test(major))
    throw new Error('name a major version, for example: node scripts/run.mjs node-versions 22');
  console.log(await ensureNode(major));
  return 0;
};

/**
 * Installs Node.js of a major version below .runtime, once, from npm's package of that name.
 * @returns its executable file
 */
export async function ensureNode(major: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const dir = join(RUNTIME_DIR, `node-${major}`);
  const binary = join(dir, 'node_modules', name, 'bin', 'node');
  if (!(await isVersion(binary, major))) {
    mkdirSync(dir, { recursive: true });
    const args = ['install', '--prefix', dir, `${name}@${major}`, '--ignore-scripts', '--no-package-lock'];
    const npm = await command('npm', [...args, '--no-audit', '--no-fund'], { cwd: dir });
    if (npm.failed) throw new Error(`npm could not install ${name}@${major}:\n${excerptOf(npm)}`);
    if (!(await isVersion(binary, major))) throw new Error(`${binary} is not Node.js ${major}`);
  }
  return binary;
}

async function isVersion(binary: string, major: string): Promise<boolean> {
  return existsSync(binary) && (await command(binary, ['--version'])).stdout.startsWith(`v${major}.`);
}
