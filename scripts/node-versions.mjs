import './node-version.mjs';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from './paths.mjs';
import { run } from './process/run.mjs';

// Prints the path of a Node.js of the given major version, installed below .runtime from npm's package of that name:
//   node scripts/node-versions.mjs 22
const [major = ''] = process.argv.slice(2);
const name = `node-${process.platform}-${process.arch}`;
const dir = join(RUNTIME_DIR, `node-${major}`);
const binary = join(dir, 'node_modules', name, 'bin', 'node');

if (!/^\d+$/.test(major)) fail('which major version? For example: node scripts/node-versions.mjs 22');
if (!(await runsAs(major))) {
  mkdirSync(dir, { recursive: true });
  const args = ['install', '--prefix', dir, `${name}@${major}`, '--ignore-scripts', '--no-package-lock'];
  const npm = await run('npm', [...args, '--no-audit', '--no-fund'], { cwd: dir });
  if (!npm.ok) fail(`npm could not install ${name}@${major}:\n${npm.excerpt}`);
  if (!(await runsAs(major))) fail(`${binary} is no Node.js ${major}`);
}
console.log(binary);

async function runsAs(/** @type {string} */ wanted) {
  return existsSync(binary) && (await run(binary, ['--version'])).stdout.startsWith(`v${wanted}.`);
}

/** @returns {never} */
function fail(/** @type {string} */ why) {
  console.error(why);
  process.exit(1);
}
