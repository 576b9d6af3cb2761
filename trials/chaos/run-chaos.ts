import type { EmissionSource } from '@appointment-emissions/contracts';
import { inspect } from 'node:util';
import { freshDir } from '../../test/harness/own-services.ts';
import { createOwnerReader } from './capture-owner.ts';
import { openTestbed, type Testbed } from './testbed.ts';
import { BEGINS_EPOCH } from './faults/weights.ts';
import { checkHistory, type HistoryCheck } from './history/check-history.ts';
import { observeLogs } from './history/observe-logs.ts';
import { observeWire } from './history/observe-wire.ts';
import { recordHistory } from './history/record-history.ts';
import { startFaultInjection, type FaultRecord } from './inject-faults.ts';
import type { ChaosOptions } from './options.ts';
import { createRandom } from './random.ts';

export interface ChaosResult {
  options: ChaosOptions;
  /** Violations of a guarantee. */
  violations: string[];
  history: HistoryCheck;
  accepted: number;
  published: number;
  /** Number of failed jobs by failure reason. All were retried at the end. */
  failed: Record<string, number>;
  maxAttempts: number;
  writes: number;
  unannounced: number;
  repeatedCalls: Record<string, number>;
  shown: number;
  shownBySource: Record<EmissionSource, number>;
  replayed: number;
  lists: number;
  reloads: Record<string, number>;
  /** The largest number of epochs after the first one whose list one screen loaded. */
  maxReloads: number;
  faults: FaultRecord[];
  restarts: Record<string, number>;
  /** `workMs`: from the first emission to the last. `settleMs`: from the last repair until every screen equaled the list. */
  workMs: number;
  settleMs: number;
}

/**
 * Runs bots, processes and dashboards under random faults and records a history, then checks it: no accepted emission is lost, no
 * screen goes back to an older state or shows data of another company, and after the last repair every screen equals the list.
 */
export async function runChaos(options: ChaosOptions, print: (line: string) => void): Promise<ChaosResult> {
  const history = recordHistory(options.historyDir || freshDir('history'));
  const testbed = await openTestbed({ options, history, onMissing: print });
  const { fleet, ledger, redis, environment, workload, world } = testbed;
  try {
    const { companyIds } = workload;
    const url = fleet.gateways[0]!.balancer!.url;
    const wire = await observeWire(
      world,
      companyIds.map((companyId) => ({ companyId, url })),
      history,
    );
    const logs = observeLogs(world, companyIds, history);
    print(`${companyIds.length * options.screens} screens are live; injecting faults`);

    const began = Date.now();
    const faults = startFaultInjection({
      fleet,
      redis,
      environment,
      random: createRandom(options.seed, 'faults'),
      everyMs: options.faultEveryMs,
      captureOwner: options.capture ? createOwnerReader(world) : undefined,
      settled: ledger.settled,
      onFault: (fault, target) => {
        const seconds = ((Date.now() - began) / 1_000).toFixed(1);
        print(
          `${seconds} s: ${fault}: ${target} (${ledger.acceptedCount} accepted, ${ledger.open.size} open)`,
        );
      },
    });
    await workload.work();
    const workMs = Date.now() - began;
    await faults.end();
    const repairedAt = Date.now();
    print(`${ledger.acceptedCount} accepted in ${Math.round(workMs / 1_000)} s; the last fault is repaired`);

    const { failed, problem } = await testbed.settle(options.settleTimeoutMs);
    const settleMs = Date.now() - repairedAt;
    wire.close();
    await logs.close();
    await history.close();
    const checked = await checkHistory(history.dir, { failsOver: options.topology === 'sentinel' });
    return {
      ...countResults(testbed),
      ...{ options, history: checked, failed, faults: faults.records, workMs, settleMs },
      violations: [
        ...(problem === undefined ? [] : [problem]),
        ...checked.violations,
        ...testbed.violations(),
        ...findUnexpected(testbed, options, faults.records),
      ],
    };
  } finally {
    await testbed.close((error) => {
      print(`error while closing: ${inspect(error)}`);
    });
  }
}

function countResults({ fleet, ledger, screens, workload }: Testbed) {
  const { acceptedCount: accepted, publishedCount: published, maxAttempts } = ledger;
  const { writes, unannounced, repeatedCalls } = workload;
  const { shown, shownBySource, replayed, lists, reloads, maxReloads } = screens;
  return {
    ...{ accepted, published, maxAttempts, writes, unannounced, repeatedCalls },
    ...{ shown, shownBySource, replayed, lists, reloads, maxReloads, restarts: fleet.restarts },
  };
}

function findUnexpected({ screens }: Testbed, { capture }: ChaosOptions, faults: readonly FaultRecord[]) {
  const epochs = faults.filter(({ fault }) => BEGINS_EPOCH.has(fault)).length;
  return [
    ...(screens.maxReloads > epochs
      ? [
          `one screen loaded lists of ${screens.maxReloads} new epochs, but Redis was restarted only ${epochs} times`,
        ]
      : []),
    ...(capture && screens.shownBySource.capture === 0
      ? ['no screen showed an emission of the capture']
      : []),
  ];
}
