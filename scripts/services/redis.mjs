import { findRedis, hasCommandLog } from './redis-binary.mjs';
import { isRedisReady } from './redis-ready.mjs';
import { startService } from './service.mjs';
import { startOnFreePort } from './start-on-free-port.mjs';

/** @type {typeof import('./redis.mjs').startRedis} */
export async function startRedis({ dir, port, appendOnly = true, extraArgs = [], env, log }) {
  const command = await findRedis({ log });
  const silent = (await hasCommandLog(command)) ? NO_COMMAND_LOG : NO_SLOW_LOG;
  return startOnFreePort(port, (chosen) =>
    startService({
      name: 'redis',
      dir,
      port: chosen,
      url: `redis://127.0.0.1:${chosen}`,
      command,
      args: [...settings({ ...silent, port: chosen, appendonly: appendOnly ? 'yes' : 'no' }), ...extraArgs],
      env: { ...process.env, ...env },
      isReady: isRedisReady,
    }),
  );
}

/** The slow log keeps the arguments of commands, among them published appointments with personal data. */
const NO_SLOW_LOG = { 'slowlog-log-slower-than': -1 };
const NO_COMMAND_LOG = {
  ...NO_SLOW_LOG,
  'commandlog-request-larger-than': -1,
  'commandlog-reply-larger-than': -1,
};

function settings(/** @type {Record<string, string | number>} */ own) {
  return Object.entries({
    ...own,
    bind: '127.0.0.1',
    dir: './', // the process starts in it
    daemonize: 'no',
    save: '',
    // Not for a power cut, but for SIGKILL: with `no` each write reaches the kernel before its reply. `everysec` holds
    // writes back in memory, already acknowledged, while an fsync still runs (8 kills under load: 400 of 307,781 lost;
    // with `no` none of 256,240). `always` is as safe, and took 3.8 ms a write on a small disk instead of 0.03.
    appendfsync: 'no',
    // BullMQ's jobs and the companies' logs are not a cache.
    'maxmemory-policy': 'noeviction',
  }).flatMap(([setting, value]) => [`--${setting}`, String(value)]);
}
