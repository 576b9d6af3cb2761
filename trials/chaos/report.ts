import type { ChaosResult } from './run-chaos.ts';

/** The result in lines for people: seed, counts, faults with their recovery times, verdict. */
export function report(result: ChaosResult): string[] {
  const { options, accepted, published, violations, workMs, settleMs } = result;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const counts = (among: Record<string, number>) =>
    Object.entries(among)
      .map(([words, times]) => `${times} × ${words}`)
      .join(', ') || 'none';

  const byFault = new Map<string, number[]>();
  for (const { fault, recoveryMs } of result.faults) {
    byFault.set(fault, [...(byFault.get(fault) ?? []), recoveryMs ?? Number.NaN]);
  }
  const faultLines = [...byFault].sort().map(([fault, times]) => {
    const sorted = times.filter((ms) => !Number.isNaN(ms)).sort((a, b) => a - b);
    const at = (share: number) => seconds(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN);
    return `  ${String(times.length).padStart(4)} × ${fault.padEnd(15)} recovered after ${at(0.5)} (p50), ${at(0.95)} (p95), ${at(1)} (longest)`;
  });

  return [
    `seed ${options.seed}: ${accepted} emissions accepted in ${seconds(workMs)}, ${Math.round(accepted / (workMs / 1_000))} a second`,
    `  ${options.workers} workers, ${options.gateways} APIs with gateway, ${options.companies} companies, ${options.companies * options.screens} screens`,
    `  published ${published}, failed before their retry: ${counts(result.failed)}; at most ${result.mostAttempts} attempts`,
    `  writes ${result.writes}, of them never announced ${result.unannounced}`,
    `  calls that were made again: ${counts(result.refusals)}`,
    `  snapshots shown ${result.shown}, of them replayed ${result.replayed}; lists loaded ${result.lists}, reloads: ${counts(result.reloads)}, at most ${result.mostReloads} of one screen`,
    `faults ${result.faults.length}; processes started again: ${counts(result.restarts)}`,
    ...faultLines,
    `after the last fault every screen was equal to the list within ${seconds(settleMs)}`,
    violations.length === 0
      ? 'nothing lost, nothing stale, nothing for another company'
      : `VIOLATIONS: ${violations.length}`,
    ...violations.slice(0, 20).map((words) => `  ${words}`),
  ];
}
