import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { readArguments } from '../../src/repair/read-arguments.ts';
import { runRepair } from '../../src/cli/run-repair.ts';
import type { World } from '../harness/world.ts';
import { type Answer, quietWorld } from './admin.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** `npm run emissions -- …`, from its source. */
function emissions(env: Record<string, string>, ...args: string[]) {
  return new Promise<{ code: number; out: Answer; err: string }>((resolve) => {
    execFile(
      process.execPath,
      [...SOURCE_ARGS, 'src/cli/emissions.ts', ...args],
      { cwd: ROOT, env: childEnv(env) },
      (error, stdout, stderr) => {
        const out: Answer = stdout.startsWith('{') ? JSON.parse(stdout) : stdout;
        resolve({ code: error ? Number(error.code) : 0, out, err: stderr });
      },
    );
  });
}

test('the command line retries and re-emits over its own connections', async () => {
  world = await quietWorld();
  const api = await world.api();
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  const restore = await world.documents.giveAway();
  world.worker();
  await world.jobIn(emissionId, 'failed');
  await restore();

  const dry = await repair('retry-failed', '--since', '1h', '--dry-run');
  expect(dry).toMatchObject({ dryRun: true, matched: 1, repaired: 1 });
  const retried = await emissions(world.env, 'retry', emissionId);
  expect(retried).toMatchObject({ code: 0, out: { emissionId } });
  await world.jobIn(emissionId, 'completed');

  const again = await repair('re-emit', '--company', company.companyId, '--since', '1h', '--limit', '5');
  expect(again).toMatchObject({ dryRun: false, matched: 1, repaired: 1 });
  await world.jobIn(again.emissions[0].emissionId, 'completed');
  await expect(repair('re-emit', '--company', 'x', '--since', '1h')).rejects.toThrow(/companyId/);
  await expect(repair('retry-failed', '--since', '2026-02-29')).rejects.toThrow(
    /since must be a time that exists/,
  );
  await expect(repair('retry-failed', '--since', '1h', '--until', '2h')).rejects.toThrow(
    /until must not be before/,
  );
});

/** As the command does, in this process. */
async function repair(...args: string[]): Promise<Answer> {
  const command = readArguments(args);
  if ('problem' in command) throw new Error(command.problem);
  return runRepair(loadWorkerConfig(world!.env), DEFAULT_MODEL, command);
}

test.each([
  [[], 'Which command?'],
  [['mend'], 'There is no command mend.'],
  [['retry', 'one', 'two'], 'retry takes no two.'],
  [['retry-failed', 'all'], 'retry-failed takes no all.'],
  [['retry-failed', '--since'], "Option '--since <value>' argument missing"],
  [['retry-failed', '--sinse', '1h'], "Unknown option '--sinse'"],
])('%j is refused with a reason', (args, words) => {
  expect(readArguments(args)).toEqual({ problem: expect.stringContaining(words) });
});

test('a wrong command prints the usage', async () => {
  expect(await emissions({}, 'mend')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Usage: npm run emissions'),
  });
});
