import { queueAtMost } from './queue.ts';
import type { BenchEnvironment } from './environment.ts';

/**
 * Starts an API and a worker with separate queues.
 * @param kind  selects `bench/contenders/<kind>-api.ts` and `<kind>-worker.ts`
 */
export async function startFleet(
  environment: BenchEnvironment,
  kind: string,
  prefix: string,
  over: Record<string, string> = {},
) {
  const env = { ...over, QUEUE_PREFIX: prefix };
  const [contender] = await Promise.all([
    environment.start(`contenders/${kind}-api.ts`, env),
    environment.start(`contenders/${kind}-worker.ts`, env),
  ]);
  const queues = environment.openQueues(prefix);
  return { contender, queues, settled: () => queueAtMost({ queue: queues.live }, 0) };
}
