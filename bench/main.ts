import { openStage } from './harness/stage.ts';
import { post } from './scenarios/post.ts';
import { worker } from './scenarios/worker.ts';

const SCENARIOS = { post, worker };
const asked = process.argv.slice(2);
const rounds = Number(process.env['ROUNDS'] ?? 3);
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const stage = await openStage({ appointments: 2_000 });
  try {
    const { title, measured } = await scenario(stage, rounds);
    console.log(title);
    console.table(
      measured.map(({ name, ratio, median, spread }) => ({
        name,
        ratio: ratio.toFixed(3),
        median: Math.round(median),
        spread: spread.toFixed(2),
      })),
    );
  } finally {
    await stage.close();
  }
}
process.exit(0);
