import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { isRedisReady } from '../../scripts/services/redis-ready.ts';
import { startService, type ServiceHandle } from '../../scripts/services/service.ts';
import { startOnFreePort } from '../../scripts/process/free-port.ts';
import { freshDir, ownRedis } from './own-services.ts';
import { eventually } from './until.ts';

const NAME = 'emissions';
const SENTINELS = 3;

export type WatchedRedis = Awaited<ReturnType<typeof ownSentinels>>;

/** Starts a master, a replica and three sentinels that watch them. The test must stop them. */
export async function ownSentinels() {
  const servers = await Promise.all(
    [1, 2].map(() => ownRedis({ extraArgs: ['--repl-diskless-sync-delay', '0'] })),
  );
  const [first, second] = servers as [ServiceHandle, ServiceHandle];
  const replica = new Redis(second.url, { replyMapping: 'legacy' });
  await replica.replicaof('127.0.0.1', first.port);
  await eventually('the replica to be in sync', async () =>
    (await replica.info('replication')).includes('master_link_status:up'),
  );
  replica.disconnect();
  const sentinels = await Promise.all(Array.from({ length: SENTINELS }, () => startSentinel(first)));
  const clients = sentinels.map(({ url }) => new Redis(url, { replyMapping: 'legacy' }));
  await eventually('the sentinels to know one another and the replica', async () => {
    const known = await Promise.all(clients.map((client) => client.info('sentinel')));
    return known.every(
      (info) => info.includes(`status=ok`) && info.includes(`slaves=1,sentinels=${SENTINELS}`),
    );
  });

  /** The server that the sentinels report as the master. */
  async function master(): Promise<ServiceHandle> {
    const [, port] = (await clients[0]!.call('SENTINEL', 'get-master-addr-by-name', NAME)) as [
      string,
      string,
    ];
    return servers.find((server) => server.port === Number(port))!;
  }

  return {
    /** As REDIS_URL. */
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}/0`,
    sentinels,
    master,
    /** Makes the sentinels promote the replica, although the master runs. */
    failOver: () => clients[0]!.call('SENTINEL', 'FAILOVER', NAME),
    async stop(): Promise<void> {
      for (const client of clients) client.disconnect();
      for (const service of [...sentinels, ...servers]) {
        await service.kill();
        await service.stop();
      }
    },
  };
}

/** A sentinel is the Redis server with another argument, and a configuration file that it writes to. */
function startSentinel({ port: masterPort, process: { spawnfile } }: ServiceHandle): Promise<ServiceHandle> {
  const dir = freshDir('sentinel');
  mkdirSync(dir, { recursive: true });
  return startOnFreePort(undefined, (port) => {
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${NAME} 1500`,
      `sentinel failover-timeout ${NAME} 6000`,
    ];
    writeFileSync(join(dir, 'sentinel.conf'), `${lines.join('\n')}\n`);
    const args = ['sentinel.conf', '--sentinel'];
    const url = `redis://127.0.0.1:${port}`;
    return startService({
      name: 'sentinel',
      dir,
      port,
      url,
      command: spawnfile,
      args,
      isReady: isRedisReady,
    });
  });
}
