import { parseOptions } from './options.ts';
import { report } from './report.ts';
import { runChaos } from './run-chaos.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const options = parseOptions(process.argv.slice(2));
  print(`seed ${options.seed}`);
  const result = await runChaos(options, print);
  for (const line of report(result)) print(line);
  process.exitCode = result.violations.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`chaos: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
// Exit even if something could not be closed.
process.exit();
