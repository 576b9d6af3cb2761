import { queueAtMost } from './queue.ts';
import type { Stage } from './stage.ts';

/** API and worker with queues of their own. @param kind  of `bench/sides/<kind>-api.ts` and `<kind>-worker.ts` */
export async function startFleet(
  stage: Stage,
  kind: string,
  prefix: string,
  over: Record<string, string> = {},
) {
  const env = { ...over, QUEUE_PREFIX: prefix };
  const [side] = await Promise.all([
    stage.start(`sides/${kind}-api.ts`, env),
    stage.start(`sides/${kind}-worker.ts`, env),
  ]);
  const queues = stage.openQueues(prefix);
  return { side, queues, settled: () => queueAtMost({ queue: queues.live }, 0) };
}
