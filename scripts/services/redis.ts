import { startOnFreePort } from '../process/free-port.ts';
import { findRedis, hasCommandLog } from './redis-binary.ts';
import { isRedisReady } from './redis-ready.ts';
import { startService, type ServiceHandle, type ServiceOptions } from './service.ts';

export interface RedisOptions extends ServiceOptions {
  /** Default true: every acknowledged write survives a SIGKILL. */
  appendOnly?: boolean;
  /** Further settings, as on the command line: `['--maxmemory', '8mb']`. */
  extraArgs?: string[];
  /** Additions to the environment of this process. */
  env?: NodeJS.ProcessEnv | undefined;
}

/** The slow log keeps the arguments of commands, among them published appointments with personal data. */
const NO_SLOW_LOG = { 'slowlog-log-slower-than': -1 };
const NO_COMMAND_LOG = {
  ...NO_SLOW_LOG,
  'commandlog-request-larger-than': -1,
  'commandlog-reply-larger-than': -1,
};

const SETTINGS = {
  bind: '127.0.0.1',
  dir: './', // the process is started in its own folder
  daemonize: 'no',
  save: '',
  // Protects against SIGKILL, not against a power cut: with `no`, each write reaches the kernel before its reply.
  // `everysec` keeps acknowledged writes in memory while an fsync runs (8 kills under load: 400 of 307,781 lost; with
  // `no` none of 256,240). `always` is as safe, and took 3.8 ms a write on a small disk instead of 0.03.
  appendfsync: 'no',
  // BullMQ's jobs and the companies' logs are not a cache.
  'maxmemory-policy': 'noeviction',
};

/**
 * Starts a Redis (or Valkey) on 127.0.0.1. Resolves when it answers.
 * @throws if no server can be found or installed, or if it does not answer; the message says what to do, or quotes its log
 */
export async function startRedis(options: RedisOptions): Promise<ServiceHandle> {
  const { dir, port, appendOnly = true, extraArgs = [], env, log = () => undefined } = options;
  const command = await findRedis({ log });
  const silent = (await hasCommandLog(command)) ? NO_COMMAND_LOG : NO_SLOW_LOG;
  return startOnFreePort(port, (chosen) => {
    const settings = { ...silent, ...SETTINGS, port: chosen, appendonly: appendOnly ? 'yes' : 'no' };
    const args = Object.entries(settings).flatMap(([setting, value]) => [`--${setting}`, String(value)]);
    return startService({
      name: 'redis',
      dir,
      port: chosen,
      url: `redis://127.0.0.1:${chosen}`,
      command,
      args: [...args, ...extraArgs],
      env: { ...process.env, ...env },
      isReady: isRedisReady,
    });
  });
}
