import type { EmissionSource } from '@appointment-emissions/contracts';
import { createOwnerReader } from './capture-owner.ts';
import { openTestbed } from './testbed.ts';
import { startFaultInjection, type Fault, type FaultRecord } from './inject-faults.ts';
import type { ChaosOptions } from './options.ts';
import { createRandom } from './random.ts';

export interface ChaosResult {
  options: ChaosOptions;
  /** Violations of a guarantee. */
  violations: string[];
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
  maxReloads: number;
  faults: FaultRecord[];
  restarts: Record<string, number>;
  /** `workMs`: from the first emission to the last. `settleMs`: from the last repair until every screen equaled the list. */
  workMs: number;
  settleMs: number;
}

const RESTARTS_REDIS: ReadonlySet<Fault> = new Set(['redis killed', 'redis terminated']);

/**
 * Runs bots, processes and dashboards under random faults, then checks the records: no accepted emission is lost, no screen
 * goes back to an older state or shows data of another company, and after the last repair every screen equals the list.
 */
export async function runChaos(options: ChaosOptions, print: (line: string) => void): Promise<ChaosResult> {
  const testbed = await openTestbed({ options });
  const { fleet, ledger, redis, screens, workload } = testbed;
  try {
    print(`${workload.companyIds.length * options.screens} screens are live; injecting faults`);

    const began = Date.now();
    const faults = startFaultInjection({
      fleet,
      redis,
      random: createRandom(options.seed, 'faults'),
      everyMs: options.faultEveryMs,
      captureOwner: options.capture ? createOwnerReader(testbed.world) : undefined,
      settled: ledger.settled,
      onFault: (fault, what) => {
        const seconds = ((Date.now() - began) / 1_000).toFixed(1);
        print(`${seconds} s: ${fault} ${what} (${ledger.acceptedCount} accepted, ${ledger.open.size} open)`);
      },
    });
    await workload.work();
    const workMs = Date.now() - began;
    await faults.end();
    const repairedAt = Date.now();
    print(`${ledger.acceptedCount} accepted in ${Math.round(workMs / 1_000)} s; the last fault is repaired`);

    const { failed, problem } = await testbed.settle(options.settleTimeoutMs);
    const violations = [...(problem === undefined ? [] : [problem]), ...testbed.violations()];
    const redisRestarts = faults.records.filter(({ fault: name }) => RESTARTS_REDIS.has(name)).length;
    if (screens.maxReloads > redisRestarts) {
      violations.push(
        `one screen reloaded ${screens.maxReloads} times, but Redis was restarted only ${redisRestarts} times`,
      );
    }
    if (options.capture && screens.shownBySource.capture === 0)
      violations.push('no screen showed an emission of the capture');
    return {
      options,
      violations,
      accepted: ledger.acceptedCount,
      published: ledger.publishedCount,
      failed,
      maxAttempts: ledger.maxAttempts,
      writes: workload.writes,
      unannounced: workload.unannounced,
      repeatedCalls: workload.repeatedCalls,
      shown: screens.shown,
      shownBySource: screens.shownBySource,
      replayed: screens.replayed,
      lists: screens.lists,
      reloads: screens.reloads,
      maxReloads: screens.maxReloads,
      faults: faults.records,
      restarts: fleet.restarts,
      workMs,
      settleMs: Date.now() - repairedAt,
    };
  } finally {
    await testbed.close((error) => {
      print(`error while closing: ${String(error)}`);
    });
  }
}
