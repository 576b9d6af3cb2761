import type { Latency } from './latency.ts';
import type { CaptureResult } from './run-capture.ts';
import { WRITERS } from './writers.ts';

const MAX_LISTED = 10;

/** The lines to print. The last one is "N passed, N failed". */
export function report(
  result: CaptureResult,
  latencies: readonly Latency[],
): { lines: string[]; failed: number } {
  const { options, writing, faults, published, workMs, settleMs } = result;
  const written = Object.values(writing.written).reduce((sum, count) => sum + count, 0);
  const checks: [name: string, problems: readonly string[]][] = [
    [`${options.writes} writes were made`, written >= options.writes ? [] : [`only ${written} were made`]],
    ['every screen equals the database', result.differences],
    ['no state was shown out of order, and no emission is missing', result.disorder],
    ['no worker without the lease saved a resume token', result.unfenced],
    ['no emission failed', result.failedJobs === 0 ? [] : [`${result.failedJobs} failed`]],
    ['no process exited unexpectedly', result.unexpectedExits],
    [
      'the owner was killed, and replaced while it was frozen',
      faults.killed > 0 && faults.replaced > 0 ? [] : ['there were too few faults'],
    ],
  ];
  const rows = WRITERS.map((writer) => {
    const { call = 0, capture = 0, sweep = 0 } = published.get(writer) ?? {};
    const deletions = writer === 'delete' ? ` (${writing.deleted} deletions)` : '';
    return `| ${writer} | ${writing.written[writer]}${deletions} | ${call} | ${capture} | ${sweep} |`;
  });
  const failed = checks.filter(([, problems]) => problems.length > 0).length;
  const lines = [
    `${written} writes in ${Math.round(workMs / 1_000)} s; the comparison of the screens ended after ${settleMs} ms`,
    `the owner was killed ${faults.killed} times and frozen ${faults.frozen} times; ` +
      `another worker became the owner during ${faults.replaced} of the freezes`,
    `another worker read the stream after ${describeTimes(faults.takeoverMs)}`,
    '| writer | writes | published by call | by capture | by sweep |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    ...latencies.map(({ what, p50, p99 }) => `${what}: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`),
    ...checks.flatMap(([name, problems]) => [
      `${problems.length === 0 ? 'passed' : 'FAILED'}: ${name}`,
      ...problems.slice(0, MAX_LISTED).map((problem) => `  ${problem}`),
      ...(problems.length > MAX_LISTED ? [`  and ${problems.length - MAX_LISTED} more`] : []),
    ]),
    `${checks.length - failed} passed, ${failed} failed`,
  ];
  return { lines, failed };
}

function describeTimes(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const seconds = (index: number) => ((sorted[index] ?? Number.NaN) / 1_000).toFixed(1);
  return `${seconds(0)} to ${seconds(sorted.length - 1)} s, ${seconds(sorted.length >> 1)} s in the median of ${sorted.length}`;
}
