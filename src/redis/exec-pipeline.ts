import type { ChainableCommander } from 'ioredis';

/** Sends it in one write; resolves to what each command was answered. @throws the first error among them. */
export async function execPipeline(pipeline: ChainableCommander): Promise<unknown[]> {
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });
}
