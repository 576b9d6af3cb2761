import { afterEach, expect, test } from '@jest/globals';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { readCommandLine } from '../../src/cli/command-line.ts';
import { type RepairName, runRepair } from '../../src/cli/run-repair.ts';
import type { World } from '../harness/world.ts';
import { type Answer, failedEmission, quietWorld } from '../operate/admin.ts';
import { runCli } from './run-cli.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

test('the command line retries and re-emits over its own connections', async () => {
  world = await quietWorld();
  const api = await world.api();
  const { emissionId, company } = await failedEmission(world, api);

  const dry = await repair('retry-failed', '--since', '1h', '--dry-run');
  expect(dry).toMatchObject({ dryRun: true, matched: 1, repaired: 1 });
  const retried = await runCli(world.env, 'retry', emissionId);
  expect([retried.code, JSON.parse(retried.out)]).toEqual([0, { emissionId }]);
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
  const line = readCommandLine(args);
  if (!('command' in line)) throw new Error(JSON.stringify(line));
  return runRepair(loadWorkerConfig(world!.env), DEFAULT_MODEL, {
    ...line.command,
    name: line.command.name as RepairName,
  });
}
