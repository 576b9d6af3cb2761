import { setTimeout as pause } from 'node:timers/promises';
import { openTestbed, type Testbed } from '../chaos/testbed.ts';
import type { CallResult } from '../chaos/workload.ts';
import { eventually, until } from '../../test/harness/until.ts';
import { findProblems, summarize, type CallResultCount } from './call-results.ts';
import type { Scenario } from './scenario.ts';
import { usualLoad } from './usual-load.ts';

/** The measurements of one row. */
export interface Row {
  fault: string;
  effect: string;
  /** Results of the bots' calls during the fault. */
  results: CallResultCount[];
  recoveredMs?: number;
  accepted: number;
  published: number;
  /** Emissions that failed during the fault and were retried after the repair. */
  retried: number;
  /** Why the row failed; empty if it passed. */
  problems: string[];
}

const MIN_DURATION_MS = 4_000;
const MAX_RECOVERY_MS = 20_000;
const START_TIMEOUT_MS = 30_000;
const SETTLE_TIMEOUT_MS = 90_000;
/** Emissions accepted before the fault is injected. */
const MIN_ACCEPTED_BEFORE = 10;

export interface RunOptions {
  seed: number;
  burstSeconds: number;
}

/** Opens a new testbed, injects the fault under load, repairs it and checks the recorded effects. */
export async function runScenario(scenario: Scenario, { seed, burstSeconds }: RunOptions): Promise<Row> {
  const { fault, effect, processes = 1, minDurationMs = MIN_DURATION_MS } = scenario;
  const { maxRecoveryMs = MAX_RECOVERY_MS, appointments = 50 } = scenario;
  const results: CallResult[] = [];
  /** For each screen, when the latest emission that it showed was accepted. */
  const newest = new Map<number, number>();
  const onCallResult = (result: CallResult): void => void results.push(result);
  const testbedDeps = await scenario.testbed?.();
  let testbed: Testbed | undefined;
  try {
    testbed = await openTestbed({
      ...testbedDeps,
      options: usualLoad({ seed, workers: processes, gateways: processes, appointments }),
      onCallResult,
      onShown: (screen, { acceptedAt }) => {
        newest.set(screen, Math.max(newest.get(screen) ?? 0, Date.parse(acceptedAt)));
      },
    });
    const { ledger, workload, screens } = testbed;
    const screenCount = workload.companyIds.length * 2;
    const allShowOneSince = (since: number, deadlineMs: number) =>
      eventually(
        'every screen to show an emission accepted since',
        () =>
          newest.size === screenCount &&
          [...newest.values()].every((at) => at >= since) &&
          screens.states().every((state) => state === 'live'),
        deadlineMs,
      );
    const work = workload.work();
    const hasLoad = () => ledger.acceptedCount >= MIN_ACCEPTED_BEFORE;
    await eventually('the first emissions to be accepted', hasLoad, START_TIMEOUT_MS);
    await allShowOneSince(0, START_TIMEOUT_MS);

    const problems: string[] = [];
    const began = Date.now();
    const repair = await scenario.inject({ testbed, onCallResult, burstSeconds });
    const injectedAt = minDurationMs === 0 ? began : Date.now();
    const untilRecovered = scenario.untilRecovered?.(testbed).then(() => Date.now() - injectedAt);
    await pause(minDurationMs);
    const { requiredOutcome } = scenario;
    if (requiredOutcome !== undefined) {
      const hasOccurred = () =>
        results.some(({ at, outcome }) => at >= injectedAt && outcome === requiredOutcome);
      await eventually(`a call to get ${requiredOutcome}`, hasOccurred, START_TIMEOUT_MS);
    }
    await repair();
    const repairedAt = Date.now();
    let recoveredMs: number | undefined;
    try {
      await allShowOneSince(repairedAt, maxRecoveryMs);
      recoveredMs = Date.now() - repairedAt;
      if (untilRecovered)
        recoveredMs = await until('the delayed work to be done', untilRecovered, maxRecoveryMs);
    } catch (error) {
      problems.push((error as Error).message);
    }
    workload.stop();
    await until('the bots to stop', work, SETTLE_TIMEOUT_MS);
    const { failed, problem } = await testbed.settle(SETTLE_TIMEOUT_MS);
    if (problem !== undefined) problems.push(problem);

    const duringFault = results.filter(({ at }) => at >= injectedAt && at < repairedAt);
    return {
      fault,
      effect,
      results: summarize(duringFault),
      ...(recoveredMs !== undefined && { recoveredMs }),
      accepted: ledger.acceptedCount,
      published: ledger.publishedCount,
      retried: Object.values(failed).reduce((sum, times) => sum + times, 0),
      problems: [
        ...problems,
        ...findProblems(duringFault, scenario.allowedOutcomes),
        ...testbed.violations(),
      ],
    };
  } catch (error) {
    const problems = [(error as Error).message];
    return { fault, effect, results: summarize(results), accepted: 0, published: 0, retried: 0, problems };
  } finally {
    await testbed?.close();
    await scenario.cleanUp?.();
  }
}
