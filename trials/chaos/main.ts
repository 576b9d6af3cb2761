import { checkHistory } from './history/check-history.ts';
import { parseOptions } from './options.ts';
import { report } from './report.ts';
import { runChaos } from './run-chaos.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
// Without it, a signal would end this process before its exit handlers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
try {
  const [command, dir] = process.argv.slice(2);
  // Checks a history again: `node scripts/run.mjs trial chaos check <folder>`.
  if (command === 'check' && dir !== undefined) {
    const { violations, ...counts } = await checkHistory(dir);
    const memoryMb = Math.round(process.resourceUsage().maxRSS / 1_024);
    print(JSON.stringify({ ...counts, memoryMb, violations }, undefined, 2));
    process.exitCode = violations.length === 0 ? 0 : 1;
  } else {
    const options = parseOptions(process.argv.slice(2));
    print(`seed ${options.seed}`);
    const result = await runChaos(options, print);
    for (const line of report(result)) print(line);
    process.exitCode = result.violations.length === 0 ? 0 : 1;
  }
} catch (error) {
  process.stderr.write(`chaos: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
// Exit even if something could not be closed.
process.exit();
