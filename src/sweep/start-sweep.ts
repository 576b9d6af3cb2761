import type { SweepReport } from './sweep.ts';

export interface StartSweepDeps {
  sweep: () => Promise<SweepReport | undefined>;
  intervalMs: number;
  /** @param report  `undefined` if another process has the lease */
  onReport: (report: SweepReport | undefined) => void;
  onFault: (error: unknown) => void;
}

/** Warning of a worker whose sweep is off. It is not a problem while another worker sweeps. */
export const SWEEP_OFF =
  'the sweep is off (RECONCILE_INTERVAL_MS=0): changes that were not announced are not found';

/** Sweeps every `intervalMs`, one sweep at a time. `close` waits for the current one. */
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
