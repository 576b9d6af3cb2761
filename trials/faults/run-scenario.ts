import { setTimeout as pause } from 'node:timers/promises';
import { openArena, type Arena } from '../chaos/arena.ts';
import type { Answer } from '../chaos/shop.ts';
import { eventually, until } from '../../test/harness/until.ts';
import { judgeAnswers, summarise, type AnswerCount } from './answers.ts';
import type { Scenario } from './scenario.ts';
import { usualLoad } from './usual-load.ts';

/** What one row measured. */
export interface Row {
  fault: string;
  seen: string;
  /** What bots were answered while it lasted. */
  answers: AnswerCount[];
  recoveredMs?: number;
  accepted: number;
  published: number;
  /** Failed first, published when they were retried after the mending. */
  retried: number;
  /** Why it did not pass. */
  problems: string[];
}

const LASTS_MS = 4_000;
const RECOVERS_WITHIN_MS = 20_000;
const FIRST_WITHIN_MS = 30_000;
const SETTLES_WITHIN_MS = 90_000;
const ACCEPTED_BEFORE = 10;

export interface RunOptions {
  seed: number;
  burstSeconds: number;
}

/** Opens an arena of its own, provokes the fault under load, mends it, and judges by what was seen. */
export async function runScenario(scenario: Scenario, { seed, burstSeconds }: RunOptions): Promise<Row> {
  const { fault, seen, processes = 1, lastsMs = LASTS_MS } = scenario;
  const { recoversWithinMs = RECOVERS_WITHIN_MS, appointments = 50 } = scenario;
  const answers: Answer[] = [];
  /** When the emission that each screen showed last was accepted. */
  const newest = new Map<number, number>();
  const onAnswer = (answer: Answer): void => void answers.push(answer);
  const own = await scenario.arena?.();
  let arena: Arena | undefined;
  try {
    arena = await openArena({
      ...own,
      options: usualLoad({ seed, workers: processes, gateways: processes, appointments }),
      onAnswer,
      onShown: (screen, { acceptedAt }) => {
        newest.set(screen, Math.max(newest.get(screen) ?? 0, Date.parse(acceptedAt)));
      },
    });
    const { ledger, shop, screens } = arena;
    const screenCount = shop.companyIds.length * 2;
    const allShowOneSince = (since: number, deadlineMs: number) =>
      eventually(
        'every screen to show an emission accepted since',
        () =>
          newest.size === screenCount &&
          [...newest.values()].every((at) => at >= since) &&
          screens.states().every((state) => state === 'live'),
        deadlineMs,
      );
    const work = shop.work();
    await eventually('load', () => ledger.acceptedCount >= ACCEPTED_BEFORE, FIRST_WITHIN_MS);
    await allShowOneSince(0, FIRST_WITHIN_MS);

    const problems: string[] = [];
    const began = Date.now();
    const mend = await scenario.inflict({ arena, onAnswer, burstSeconds });
    const provokedAt = lastsMs === 0 ? began : Date.now();
    const released = scenario.released?.(arena).then(() => Date.now() - provokedAt);
    await pause(lastsMs);
    const { provokes } = scenario;
    if (provokes !== undefined) {
      const isSeen = () => answers.some(({ at, brought }) => at >= provokedAt && brought === provokes);
      await eventually(`a bot to be answered ${provokes}`, isSeen, FIRST_WITHIN_MS);
    }
    await mend();
    const mendedAt = Date.now();
    let recoveredMs: number | undefined;
    try {
      await allShowOneSince(mendedAt, recoversWithinMs);
      recoveredMs = Date.now() - mendedAt;
      if (released) recoveredMs = await until('what the fault held up', released, recoversWithinMs);
    } catch (error) {
      problems.push((error as Error).message);
    }
    shop.stop();
    await until('the bots to end', work, SETTLES_WITHIN_MS);
    const { failed, fault: unsettled } = await arena.settle(SETTLES_WITHIN_MS);
    if (unsettled !== undefined) problems.push(unsettled);

    const meanwhile = answers.filter(({ at }) => at >= provokedAt && at < mendedAt);
    return {
      fault,
      seen,
      answers: summarise(meanwhile),
      ...(recoveredMs !== undefined && { recoveredMs }),
      accepted: ledger.acceptedCount,
      published: ledger.publishedCount,
      retried: Object.values(failed).reduce((sum, times) => sum + times, 0),
      problems: [...problems, ...judgeAnswers(meanwhile, scenario.answers), ...arena.violations()],
    };
  } catch (error) {
    const problems = [(error as Error).message];
    return { fault, seen, answers: summarise(answers), accepted: 0, published: 0, retried: 0, problems };
  } finally {
    await arena?.close();
    await scenario.clean?.();
  }
}
