import { openStage } from './stage.ts';

/** Which servers a stage starts, and their versions. */
export async function readServers(): Promise<Record<string, string>> {
  const stage = await openStage({ appointments: 1 });
  try {
    const info = await stage.redis.info('server');
    const field = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
    const valkey = field('valkey_version');
    return {
      'redis server': valkey === undefined ? `Redis ${field('redis_version') ?? ''}` : `Valkey ${valkey}`,
      'redis allocator':
        process.env['BENCH_REDIS_ALLOCATOR'] ??
        /^mem_allocator:(\S+)/m.exec(await stage.redis.info('memory'))?.[1] ??
        'unknown',
      'mongodb server': process.env['BENCH_MONGO_NAME'] ?? 'as npm start',
    };
  } finally {
    await stage.close();
  }
}
