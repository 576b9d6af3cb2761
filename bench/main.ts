import type { Measured } from './harness/side-by-side.ts';
import { openStage, type Stage } from './harness/stage.ts';
import { latency } from './scenarios/latency.ts';
import { post } from './scenarios/post.ts';
import { worker } from './scenarios/worker.ts';

interface Result {
  title: string;
  measured: Measured[];
  more?: Record<string, Measured[]>;
}

const SCENARIOS: Record<string, (stage: Stage, rounds: number) => Promise<Result>> = {
  post,
  worker,
  'latency-20': (stage, rounds) => latency(stage, rounds, 20),
  'latency-100': (stage, rounds) => latency(stage, rounds, 100),
  'latency-600': (stage, rounds) => latency(stage, rounds, 600),
};
const DEFAULT_ROUNDS = 5;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0) {
  console.error(`no scenario ${unknown.join(', ')}; there are ${Object.keys(SCENARIOS).join(', ')}`);
  process.exit(1);
}
const rounds = Number(process.env['ROUNDS'] ?? DEFAULT_ROUNDS);
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const stage = await openStage({ appointments: 2_000 });
  try {
    const { title, measured, more = {} } = await scenario(stage, rounds);
    print(title, measured);
    for (const [figure, values] of Object.entries(more)) print(`${title}: ${figure}`, values);
  } finally {
    await stage.close();
  }
}
process.exit(0);

/** Ratios first: absolute values only tell the size. */
function print(title: string, measured: readonly Measured[]): void {
  console.log(title);
  console.table(
    measured.map(({ name, ratio, median, spread }) => ({
      name,
      ratio: ratio.toFixed(3),
      median: median.toFixed(median < 100 ? 1 : 0),
      spread: spread.toFixed(2),
    })),
  );
}
