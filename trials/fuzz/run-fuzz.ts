import fc from 'fast-check';
import { SURFACES, type SurfaceName } from './surfaces.ts';
import { openTarget, type Target } from './target.ts';
import type { Surface } from './surface.ts';

export interface FuzzOptions {
  surface: SurfaceName;
  minutes: number;
  seed: number;
  /** Called with the first failure, before its input is made smaller. */
  onFailure?: (error: unknown) => void;
}

export interface FuzzResult {
  executions: number;
  /** How the inputs ended, for example by HTTP status. */
  outcomes: Readonly<Record<string, number>>;
  growth: string;
  /** The smallest failing input, its error and the options that repeat it. */
  finding?: string;
}

/** A round has a seed, so that a finding can be repeated without the rounds before it. The time includes making a failing input smaller. */
const ROUND = { numRuns: 25, interruptAfterTimeLimit: 150_000 };
/** Errors that a busy machine also causes. New processes get the same input again, and only the second failure counts. */
const TOO_SLOW = /DeadlineExceeded|ping timeout|was not reached within/;
/** Share of the time after which memory is measured first. */
const WARM_UP_SHARE = 0.25;

/** Sends generated inputs to one surface for a time, and checks the target after each of them. Ends at the first finding. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { open, ...worldOptions } = SURFACES[options.surface];
  const target = await openTarget(worldOptions);
  let result: FuzzResult;
  try {
    result = await runRounds(await open(target), target, options);
  } catch (error) {
    await target.close().catch(() => undefined);
    throw error;
  }
  try {
    await target.close();
    return result;
  } catch (error) {
    // For example, a process did something that Redis denies its user.
    const { errors = [] } = error as { errors?: unknown[] };
    return {
      ...result,
      finding: [result.finding, String(error), ...errors.map(String)].filter(Boolean).join('\n'),
    };
  }
}

async function runRounds(
  surface: Surface,
  target: Target,
  { minutes, seed, onFailure }: FuzzOptions,
): Promise<FuzzResult> {
  const began = Date.now();
  const share = () => (Date.now() - began) / (minutes * 60_000);
  const { outcomes } = target;
  let [executions, isWarm] = [0, false];
  for (let round = 0; share() < 1; round += 1) {
    const { runs, finding } = await runRound(surface, { seed: seed + round, onFailure }, target);
    executions += runs;
    if (finding !== undefined) return { executions, outcomes, growth: 'not measured', finding };
    if (!isWarm && share() > WARM_UP_SHARE) {
      await target.warmUp();
      isWarm = true;
    }
  }
  return { executions, outcomes, ...(await growthOf(target)) };
}

async function growthOf(target: Target): Promise<Pick<FuzzResult, 'growth' | 'finding'>> {
  try {
    return { growth: await target.checkGrowth() };
  } catch (error) {
    return { growth: 'too much', finding: String(error) };
  }
}

async function runRound(
  surface: Surface,
  { seed, onFailure }: { seed: number; onFailure: FuzzOptions['onFailure'] },
  target: Target,
): Promise<{ runs: number; finding?: string }> {
  let [hasFailed, isHarmed] = [false, false];
  async function attempt(send: () => Promise<void>): Promise<void> {
    if (isHarmed) await target.restart();
    isHarmed = false;
    try {
      await send();
      await target.check();
    } catch (error) {
      isHarmed = true;
      throw error;
    }
  }
  const details = await surface.round({ seed, ...ROUND }, async (send) => {
    try {
      await attempt(send).catch(async (error: unknown) => {
        if (!TOO_SLOW.test(String(error))) throw error;
        await attempt(send);
        target.count('too slow, but not again');
      });
    } catch (error) {
      if (!hasFailed) onFailure?.(error);
      hasFailed = true;
      throw error;
    }
  });
  if (!details.failed) return { runs: details.runs };
  const input = fc.stringify(details.input).slice(0, 5_000);
  return { runs: details.runs, finding: `--seed ${seed}: ${details.error}\ninput: ${input}` };
}
