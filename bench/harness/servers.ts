import { openEnvironment } from './environment.ts';

/** Names and versions of the servers that an environment starts. */
export async function readServers(): Promise<Record<string, string>> {
  const environment = await openEnvironment({ appointments: 1 });
  try {
    const info = await environment.redis.info('server');
    const field = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
    const valkey = field('valkey_version');
    return {
      'redis server': valkey === undefined ? `Redis ${field('redis_version') ?? ''}` : `Valkey ${valkey}`,
      'redis allocator':
        process.env['BENCH_REDIS_ALLOCATOR'] ??
        /^mem_allocator:(\S+)/m.exec(await environment.redis.info('memory'))?.[1] ??
        'unknown',
      'mongodb server': process.env['BENCH_MONGO_NAME'] ?? 'as npm start',
      peers: process.env['BENCH_PEERS'] ?? 'none',
    };
  } finally {
    await environment.close();
  }
}
