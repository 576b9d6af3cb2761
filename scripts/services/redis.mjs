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
    // `everysec` holds a write back in memory, already acknowledged, while the last fsync still runs: a SIGKILL in
    // that moment would lose it. With `always` it has reached the disk before the reply.
    appendfsync: 'always',
    // BullMQ's jobs and the companies' logs are not a cache.
    'maxmemory-policy': 'noeviction',
    // The slow log keeps the arguments of commands, among them published appointments with personal data.
    'slowlog-log-slower-than': -1,
  }).flatMap(([setting, value]) => [`--${setting}`, String(value)]);
}
