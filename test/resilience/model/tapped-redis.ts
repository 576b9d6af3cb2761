import type { Redis } from 'ioredis';
import type { RedisClient } from '../../../src/redis/connect.ts';
import { weakenScript } from '../../harness/weaken-script.ts';

/** Text of a script that a negative control replaces. */
export interface Weakness {
  script: 'publish' | 'confirm';
  from: string;
  to: string;
}

/**
 * Redis as the scripts' callers see it: each script waits at a stop before it is sent. Knows when all that was sent has
 * been answered.
 */
export function tapRedis(redis: Redis, stop: () => Promise<void>, weaknesses: readonly Weakness[] = []) {
  let sent = 0;
  const inFlight = new Set<Promise<unknown>>();
  const weak = new Map(
    weaknesses.map(({ script, from, to }) => {
      const { digest, source } = weakenScript(script, from, to);
      return [digest, source];
    }),
  );

  function send(command: () => Promise<unknown>): Promise<unknown> {
    sent += 1;
    const reply = command();
    const settled = reply.then(
      () => undefined,
      () => undefined,
    );
    inFlight.add(settled);
    void settled.then(() => inFlight.delete(settled));
    return reply;
  }
  type Args = [keys: number, ...rest: (string | number | Buffer)[]];
  const tapped = {
    evalsha: async (digest: string, ...args: Args) => {
      await stop();
      const source = weak.get(digest);
      return send(() =>
        source === undefined ? redis.evalsha(digest, ...args) : redis.eval(source, ...args),
      );
    },
    // If the server does not know the script yet.
    eval: (source: string, ...args: Args) => send(() => redis.eval(source, ...args)),
  };
  return {
    redis: tapped as unknown as RedisClient,
    get sent() {
      return sent;
    },
    get isQuiet() {
      return inFlight.size === 0;
    },
    answered: () => Promise.all(inFlight),
  };
}
