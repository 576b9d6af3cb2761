import type { ChaosResult } from './run-chaos.ts';

/** Formats the result: seed, counts, faults with their recovery times, verdict. */
export function report(result: ChaosResult): string[] {
  const { options, accepted, published, violations, workMs, settleMs } = result;
  const { call, capture, sweep } = result.shownBySource;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const counts = (counted: Record<string, number>) =>
    Object.entries(counted)
      .map(([reason, count]) => `${count} × ${reason}`)
      .join(', ') || 'none';

  const byFault = new Map<string, number[]>();
  for (const { fault, recoveryMs } of result.faults) {
    byFault.set(fault, [...(byFault.get(fault) ?? []), recoveryMs ?? Number.NaN]);
  }
  const faultLines = [...byFault].sort().map(([fault, times]) => {
    const sorted = times.filter((ms) => !Number.isNaN(ms)).sort((a, b) => a - b);
    const at = (share: number) => seconds(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN);
    return `  ${String(times.length).padStart(4)} × ${fault.padEnd(22)} recovered after ${at(0.5)} (p50), ${at(0.95)} (p95), ${at(1)} (max)`;
  });

  return [
    `seed ${options.seed}: ${accepted} emissions accepted in ${seconds(workMs)}, ${Math.round(accepted / (workMs / 1_000))} a second`,
    `  history: ${JSON.stringify({ ...result.history, violations: result.history.violations.length })}`,
    `  ${options.workers} workers, ${options.gateways} APIs with gateway, ${options.companies} companies, ${options.companies * options.screens} screens`,
    `  published: ${published}; failed before the retry: ${counts(result.failed)}; attempts per emission: at most ${result.maxAttempts}`,
    `  writes: ${result.writes}, ${result.unannounced} of them never announced`,
    `  events shown: ${call} of calls, ${capture} of the capture, ${sweep} of the sweep`,
    `  repeated calls: ${counts(result.repeatedCalls)}`,
    `  snapshots shown: ${result.shown}, ${result.replayed} of them replayed; lists loaded: ${result.lists}; reloads: ${counts(result.reloads)}; reloads per screen: at most ${result.maxReloads}`,
    `faults: ${result.faults.length}; restarted processes: ${counts(result.restarts)}`,
    ...faultLines,
    `after the last fault every screen equaled the list within ${seconds(settleMs)}`,
    violations.length === 0
      ? 'no emission lost, no screen stale, no data of another company shown'
      : `VIOLATIONS: ${violations.length}`,
    ...violations.slice(0, 20).map((violation) => `  ${violation}`),
  ];
}
