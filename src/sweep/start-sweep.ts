import type { SweepReport } from './sweep.ts';

export interface StartSweepDeps {
  sweep: () => Promise<SweepReport | undefined>;
  intervalMs: number;
  /** @param report  undefined where another process sweeps */
  onReport: (report: SweepReport | undefined) => void;
  onFault: (error: unknown) => void;
}

/** Sweeps every `intervalMs`, one at a time. `close` waits for the one under way. */
export function startSweep({ sweep, intervalMs, onReport, onFault }: StartSweepDeps): {
  close: () => Promise<void>;
} {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let running: Promise<void> = Promise.resolve();

  async function once(): Promise<void> {
    try {
      const report = await sweep();
      onReport(report);
    } catch (error) {
      onFault(error);
    }
    schedule();
  }

  function schedule(): void {
    if (closed) return;
    timer = setTimeout(() => {
      running = once();
    }, intervalMs);
  }

  schedule();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
