import './node-version.mjs';
import { buildPackages } from './build-packages.mjs';
import { ensureInstalled } from './install.mjs';

// Run by `npm pack` and `npm publish` in a folder of packages/: without a build the tarball would hold no code. To
// standard error: standard output is npm's, which prints the name of the tarball.
const log = (/** @type {string} */ line) => console.error(line);
try {
  await ensureInstalled({ log });
  await buildPackages({ log });
} catch (error) {
  console.error(`the packages were not built: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
}
