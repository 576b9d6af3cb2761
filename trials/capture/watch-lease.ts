import { Redis } from 'ioredis';

/** What the workers do with the lease of the capture, as Redis executed it. */
export interface LeaseWatch {
  /** The worker that acquired the lease last. */
  owner: () => string | undefined;
  /** Number of scripts that a worker ran on the lease, also those that were refused. */
  attemptsOf: (owner: string) => number;
  /** Resolves when another worker than `owner` has saved a resume token: it reads the stream. */
  replaced: (owner: string | undefined) => Promise<void>;
  /** Resume tokens that were saved by a worker without the lease. */
  violations: string[];
  close: () => void;
}

/**
 * Follows the commands of Redis by MONITOR. A script is reported before the commands that it runs, so each of these belongs to
 * the script before it.
 */
export async function watchLease(
  redisUrl: string,
  { lock, token }: { lock: string; token: string },
): Promise<LeaseWatch> {
  const redis = new Redis(redisUrl, { replyMapping: 'legacy' });
  const monitor = await redis.monitor();
  const attempts = new Map<string, number>();
  const violations: string[] = [];
  const waiting = new Set<{ earlier: string | undefined; resolve: () => void }>();
  let owner: string | undefined;
  let caller: string | undefined;

  function onScript(args: readonly string[]): void {
    // EVALSHA, digest, number of keys, keys, owner, …
    caller = args[3 + Number(args[2])];
    if (caller !== undefined) attempts.set(caller, (attempts.get(caller) ?? 0) + 1);
  }
  function onSave(): void {
    if (caller !== owner)
      violations.push(`worker ${String(caller)} saved a resume token while ${String(owner)} had the lease`);
    for (const one of waiting) {
      if (one.earlier === caller) continue;
      waiting.delete(one);
      one.resolve();
    }
  }
  monitor.on('monitor', (_time: string, args: readonly string[], source: string) => {
    const [command = '', key] = args;
    if (source !== 'lua') {
      if (/^eval(sha)?$/i.test(command) && args[3] === lock) onScript(args);
      return;
    }
    if (/^set$/i.test(command) && key === lock) owner = args[2];
    if (/^hset$/i.test(command) && key === token) onSave();
  });

  return {
    owner: () => owner,
    attemptsOf: (one) => attempts.get(one) ?? 0,
    replaced: (earlier) =>
      new Promise((resolve) => {
        waiting.add({ earlier, resolve });
      }),
    violations,
    close() {
      monitor.disconnect();
      redis.disconnect();
    },
  };
}
