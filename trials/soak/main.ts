import { parseArgs } from 'node:util';
import { report } from './report.ts';
import { runSoak } from './run-soak.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
  });
  const options = {
    minutes: Number(values.minutes),
    seed: Number(values.seed ?? Math.floor(Math.random() * 1e9)),
  };
  if (!(options.minutes > 0) || !Number.isSafeInteger(options.seed))
    throw new Error('--minutes needs a number above 0, --seed a whole number');
  print(`seed ${options.seed}`);
  const result = await runSoak(options, print);
  for (const line of report(result)) print(line);
  const isGood = result.violations.length === 0 && result.lines.every(({ flat }) => flat);
  process.exitCode = isGood ? 0 : 1;
} catch (error) {
  process.stderr.write(`soak: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
