import { findRedis } from './redis-binary.mjs';
import { isRedisReady } from './redis-ready.mjs';
import { startService } from './service.mjs';
import { startOnFreePort } from './start-on-free-port.mjs';

/** @type {typeof import('./redis.mjs').startRedis} */
export async function startRedis({ dir, port, appendOnly = true, extraArgs = [], log }) {
  const command = await findRedis({ log });
  return startOnFreePort(port, (chosen) =>
    startService({
      name: 'redis',
      dir,
      port: chosen,
      url: `redis://127.0.0.1:${chosen}`,
      command,
      args: [...settings(chosen, appendOnly), ...extraArgs],
      isReady: isRedisReady,
    }),
  );
}

function settings(/** @type {number} */ port, /** @type {boolean} */ appendOnly) {
  return Object.entries({
    port,
    bind: '127.0.0.1',
    dir: './', // the process starts in it
    daemonize: 'no',
    save: '',
    appendonly: appendOnly ? 'yes' : 'no',
    // Not for a power cut, but for SIGKILL: with `no` each write reaches the kernel before its reply. `everysec` holds
    // writes back in memory, already acknowledged, while an fsync still runs (8 kills under load: 400 of 307,781 lost;
    // with `no` none of 256,240). `always` is as safe, and took 3.8 ms a write on a small disk instead of 0.03.
    appendfsync: 'no',
    // BullMQ's jobs and the companies' logs are not a cache.
    'maxmemory-policy': 'noeviction',
    // The slow log keeps the arguments of commands, among them published appointments with personal data.
    'slowlog-log-slower-than': -1,
  }).flatMap(([setting, value]) => [`--${setting}`, String(value)]);
}
