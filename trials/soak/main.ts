import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_DIR } from '../../scripts/paths.mjs';
import { report, summarize } from './report.ts';
import { runSlice } from './run-soak.ts';
import { minutesOf, openSamples, slicesOf } from './samples.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      file: { type: 'string' },
      resume: { type: 'boolean', default: false },
      leak: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  if (!(minutes > 0) || !Number.isSafeInteger(seed))
    throw new Error('--minutes needs a number above 0, --seed a whole number');
  const file = values.file ?? join(PROJECT_DIR, '.runtime', `soak-${seed}.jsonl`);
  const samples = openSamples(file, values.resume);
  print(`seed ${seed}, samples in ${file}`);
  const slice = slicesOf(samples.all).length;
  const left = minutes - minutesOf(samples.all);
  if (left > 0) {
    const options = { slice, minutes: left, seed: seed + slice, leak: values.leak };
    await runSlice(options, samples.append, print);
  }
  const summary = summarize(samples.all);
  for (const line of report(summary)) print(line);
  process.exitCode = summary.isGood ? 0 : 1;
} catch (error) {
  process.stderr.write(`soak: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
