import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  absentUrl,
  closeAfterEach,
  ID,
  KEY,
  startBackend,
  startTcp,
  temporaryDirectory,
} from './bot-world.ts';
import { SOURCE_CONDITION } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

closeAfterEach();

const run = promisify(execFile);
const BOT = new URL('../../packages/bot/src/index.ts', import.meta.url).href;

/** Runs `lines` in a new process. It must end without being stopped. */
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
/** Prints the result, and whether the process ended within a second after it. */
const EMIT = `
  const answer = await bot.emitAppointmentCreated('${ID}');
  const at = performance.now();
  process.on('exit', () => console.log(answer, performance.now() - at < 1000 ? 'ended' : 'lingered'));`;

test('importing the library has no side effect', async () => {
  const cwd = await temporaryDirectory();
  const backend = await startBackend();
  // After 300 ms tsx has written its cache. In an immediate, the timer itself is no longer active.
  const look =
    'setTimeout(() => setImmediate(() => console.log(process.getActiveResourcesInfo().join())), 300);';
  const stdout = await runBot(look, backend.url, cwd);
  expect(stdout.trim()).not.toMatch(/TCP|Timeout|FSReq/);
  expect(existsSync(path.join(cwd, 'logs'))).toBe(false);
  expect(backend.connections()).toBe(0);
});

test.each([
  ['healthy', async () => (await startBackend()).url, true],
  ['not listening', absentUrl, false],
  ['silent', () => startTcp(() => undefined), false],
])('if the backend is %s, the process of a bot ends after the call', async (_, address, accepted) => {
  const cwd = await temporaryDirectory();
  expect(await runBot(EMIT, await address(), cwd)).toBe(`${accepted} ended\n`);
  expect(existsSync(path.join(cwd, 'logs', 'message-flow.log'))).toBe(true);
});
