import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../test/harness/until.ts';
import type { World } from '../../test/harness/world.ts';

/** The keys in Redis that the capture of a world uses. */
export const captureKeys = ({ env }: Pick<World, 'env'>) => ({
  lock: `${env['QUEUE_PREFIX']!}:capture:lock`,
  token: `${env['QUEUE_PREFIX']!}:capture:token`,
});

/** Resolves when a worker has opened the stream: later writes are captured. */
export async function streamIsOpen(world: World): Promise<void> {
  await eventually('a worker to read the change stream', async () =>
    (await world.redis.hget(captureKeys(world).token, 'resumeToken'))?.includes('_data'),
  );
}

/** Reads from the log which process opened the change stream last. It works while Redis is unavailable. */
export function createOwnerReader({ env }: Pick<World, 'env'>): () => Promise<number | undefined> {
  const path = join(env['LOG_DIR']!, 'combined.log');
  let position = 0;
  let rest = '';
  let pid: number | undefined;
  return async () => {
    const file = await open(path);
    try {
      for await (const chunk of file.createReadStream({
        start: position,
        encoding: 'utf8',
        autoClose: false,
      })) {
        position += Buffer.byteLength(chunk as string);
        const lines = `${rest}${chunk as string}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines)
          if (line.includes('this worker reads the change stream'))
            pid = (JSON.parse(line) as { pid: number }).pid;
      }
    } finally {
      await file.close();
    }
    return pid;
  };
}
