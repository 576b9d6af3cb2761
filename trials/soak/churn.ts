import { setTimeout as pause } from 'node:timers/promises';
import type { Deployment } from './deployment.ts';

const STEPS = ['deploy', 'scaleUp', 'rotate', 'scaleDown'] as const;
type Step = (typeof STEPS)[number];

export interface Churn {
  /** Number of steps done. */
  counts: Record<Step, number>;
  violations: string[];
  end: () => Promise<void>;
}

/** Deploys, scales up, rotates secrets and scales down, one step in each interval, until `end` is called. */
export function startChurn(
  deployment: Deployment,
  { everyMs, onStep }: { everyMs: number; onStep: (step: Step) => void },
): Churn {
  const counts = { deploy: 0, scaleUp: 0, rotate: 0, scaleDown: 0 };
  const violations: string[] = [];
  const ended = new AbortController();

  const running = (async () => {
    for (let next = 0; ; next += 1) {
      await pause(everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted) return;
      const step = STEPS[next % STEPS.length]!;
      onStep(step);
      try {
        await deployment[step]();
        counts[step] += 1;
      } catch (error) {
        violations.push(
          `at ${new Date().toISOString()} the step ${step} failed: ${(error as Error).message}`,
        );
      }
    }
  })();
  return {
    counts,
    violations,
    async end() {
      ended.abort();
      await running;
    },
  };
}
