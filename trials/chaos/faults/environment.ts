import { startBenchMongo } from '../../../bench/harness/mongo.ts';
import { ownSentinels, type WatchedRedis } from '../../../test/harness/own-sentinel.ts';
import { freshDir, ownRedis } from '../../../test/harness/own-services.ts';
import { throughProxy } from '../../../test/harness/tcp-proxy.ts';
import type { ServiceHandle } from '../../../scripts/services/service.ts';
import type { ChaosOptions } from '../options.ts';
import { type Clocks, createClocks } from './clocks.ts';
import { createLink, type Link } from './link.ts';
import { createSmallDisk, type SmallDisk } from './small-disk.ts';

/** What surrounds the processes of a run, and can be disturbed. */
export interface Environment {
  /** The single Redis, or the first master. */
  redis: ServiceHandle;
  redisUrl: string;
  mongo: ServiceHandle;
  sentinels?: WatchedRedis | undefined;
  /**
   * Links to MongoDB and to a single Redis, by the name of the slot. Only the first worker and the first API have them: the data of
   * all processes would be too much for the process of the trial.
   */
  links?: Map<string, Link[]> | undefined;
  disks?: { aof: SmallDisk; log: SmallDisk } | undefined;
  clocks?: Clocks | undefined;
  /** Additional settings of one process. */
  envOf: (slot: string, env: Record<string, string>) => Promise<Record<string, string>>;
}

const DISK_BYTES = { aof: 4e9, log: 3e9 };

export interface EnvironmentDeps {
  options: Pick<ChaosOptions, 'topology' | 'faults'>;
  /** Receives what ends each part, also if a later one cannot be started. Called last in, first out. */
  keep: (end: () => unknown) => void;
  /** Called with the reason if a kind of fault is not possible on this machine. */
  onMissing: (what: string) => void;
}

export async function openEnvironment({ options, keep, onMissing }: EnvironmentDeps): Promise<Environment> {
  const isFull = options.faults === 'all';
  const disks = isFull ? createDisks({ keep, onMissing }) : undefined;
  const clocks = isFull ? await openClocks({ keep, onMissing }) : undefined;
  const links = isFull ? new Map<string, Link[]>() : undefined;
  const mongo = await startBenchMongo(freshDir('mongodb'));
  keep(() => mongo.stop());
  const sentinels = options.topology === 'sentinel' ? await ownSentinels() : undefined;
  const redis = (await sentinels?.master()) ?? (await ownRedis(disks && { dir: disks.aof.dir }));
  keep(() => (sentinels ?? redis).stop());
  if (disks) endWithProcess(redis, Object.values(disks), keep);

  async function linkTo(slot: string, server: ServiceHandle): Promise<number> {
    const link = await createLink(server.port);
    keep(link.close);
    links?.set(slot, [...(links.get(slot) ?? []), link]);
    return link.port;
  }
  return {
    ...{ redis, mongo, sentinels, links, disks, clocks },
    redisUrl: sentinels?.url ?? redis.url,
    async envOf(slot, env) {
      const own: Record<string, string> = { ...clocks?.envOf(slot) };
      if (!links || !slot.endsWith(' 1')) return own;
      own['MONGODB_URI'] = throughProxy(env['MONGODB_URI']!, await linkTo(slot, mongo));
      // Sentinels report the address of the master itself.
      if (!sentinels) own['REDIS_URL'] = `redis://127.0.0.1:${await linkTo(slot, redis)}`;
      return own;
    },
  };
}

/** The record of this Redis is on a disk that goes with it: no later run would find it. */
function endWithProcess(redis: ServiceHandle, disks: SmallDisk[], keep: EnvironmentDeps['keep']): void {
  const end = (): void => {
    redis.process.kill('SIGKILL');
    for (const disk of disks) disk.remove();
  };
  process.once('exit', end);
  keep(() => process.off('exit', end));
}

type PartDeps = Pick<EnvironmentDeps, 'keep' | 'onMissing'>;

function createDisks({ keep, onMissing }: PartDeps): Environment['disks'] {
  const aof = createSmallDisk('aof', DISK_BYTES.aof);
  const log = createSmallDisk('log', DISK_BYTES.log);
  if (!aof || !log) {
    onMissing('no full disks: mounting is not permitted');
    return undefined;
  }
  keep(aof.remove);
  keep(log.remove);
  return { aof, log };
}

async function openClocks({ keep, onMissing }: PartDeps): Promise<Clocks | undefined> {
  const clocks = await createClocks();
  if ('reason' in clocks) {
    onMissing(`no clock jumps: ${clocks.reason}`);
    return undefined;
  }
  keep(clocks.remove);
  return clocks;
}
