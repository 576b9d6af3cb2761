import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { absentUrl, ID, KEY, startBackend, startTcp, temporaryDirectory } from './bot-world.ts';
import { SOURCE_CONDITION } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

const run = promisify(execFile);
const BOT = new URL('../../packages/bot/src/index.ts', import.meta.url).href;

/** Runs these lines in a process of its own, which has to end by itself. */
async function runBot(lines: string, backendUrl: string, cwd: string): Promise<string> {
  const source = `const bot = await import('${BOT}'); ${lines}`;
  const { stdout } = await run(
    process.execPath,
    [
      `--conditions=${SOURCE_CONDITION}`,
      '--import',
      import.meta.resolve('tsx'),
      '--input-type=module',
      '-e',
      source,
    ],
    {
      cwd,
      timeout: 20_000,
      env: childEnv({ BACKEND_API_URL: backendUrl, INTERNAL_SERVICE_API_KEY: KEY, LOG_DIR: '' }),
    },
  );
  return stdout;
}
/** Prints the answer, and how long the process lived on after it. */
const EMIT = `
  const answer = await bot.emitAppointmentCreated('${ID}');
  const at = performance.now();
  process.on('exit', () => console.log(answer, performance.now() - at < 1000 ? 'ended' : 'lingered'));`;

test('importing the library does nothing', async () => {
  const cwd = await temporaryDirectory();
  const backend = await startBackend();
  // Later, when tsx has finished writing its cache; at an immediate, when the timer of waiting for that is gone.
  const look =
    'setTimeout(() => setImmediate(() => console.log(process.getActiveResourcesInfo().join())), 300);';
  const stdout = await runBot(look, backend.url, cwd);
  expect(stdout.trim()).not.toMatch(/TCP|Timeout|FSReq/);
  expect(existsSync(path.join(cwd, 'logs'))).toBe(false);
  expect(backend.connections()).toBe(0);
});

test.each([
  ['healthy', async () => (await startBackend()).url, true],
  ['absent', absentUrl, false],
  ['silent', () => startTcp(() => undefined), false],
])('with a backend that is %s, nothing keeps the process of a bot alive', async (_, address, accepted) => {
  const cwd = await temporaryDirectory();
  expect(await runBot(EMIT, await address(), cwd)).toBe(`${accepted} ended\n`);
  expect(existsSync(path.join(cwd, 'logs', 'message-flow.log'))).toBe(true);
});
