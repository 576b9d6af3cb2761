import type { ServiceHandle, ServiceOptions } from './service.mjs';

export interface RedisOptions extends ServiceOptions {
  /** Default true: every acknowledged write survives a SIGKILL. */
  appendOnly?: boolean;
  /** As on the command line: `['--maxmemory', '8mb']`. */
  extraArgs?: string[];
  /** Beside the environment of this process. */
  env?: NodeJS.ProcessEnv;
}

/**
 * Starts a Redis (or Valkey) of our own on 127.0.0.1 with `maxmemory-policy noeviction`. Resolves when it answers.
 * @throws when none is to be had, or it doesn't answer; the message says what to do, or quotes its log
 */
export function startRedis(options: RedisOptions): Promise<ServiceHandle>;
