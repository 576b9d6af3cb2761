import { join } from 'node:path';
import { PROJECT_DIR } from './paths.mjs';
import { command } from './process/command.ts';
import type { Main } from './run.mjs';
import { buildWheel, ensureClientPython, PYTHON_CLIENT } from './services/python-client.ts';

const CHECKS = [
  ['ruff', 'check', '--no-cache'],
  ['ruff', 'format', '--check', '--no-cache'],
  ['mypy', '--cache-dir', '/dev/null'],
];

/**
 * Checks the format, the code and the types of the Python client, and builds its wheel in `dist/python`. Resolves to 1 if a check
 * has failed. Its tests are long tests: test/clients/python.test.ts.
 */
export const main: Main = async ({ signal }) => {
  const client = await ensureClientPython((line) => {
    console.error(`Python: ${line}`);
  });
  let exitCode = 0;
  for (const check of CHECKS) {
    const { failed } = await command(client.python, ['-m', ...check], {
      cwd: PYTHON_CLIENT,
      env: client.env,
      stdout: 'inherit',
      stderr: 'inherit',
    });
    signal.throwIfAborted();
    if (failed) exitCode = 1;
  }
  await buildWheel(client, join(PROJECT_DIR, 'dist', 'python'));
  return exitCode;
};
