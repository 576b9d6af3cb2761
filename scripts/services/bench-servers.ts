import { findCentrifugo } from '../../bench/peers/install-centrifugo.ts';
import { findSockudo } from '../../bench/peers/install-sockudo.ts';
import { findJemalloc } from './jemalloc.ts';
import { findSecantusRs } from './secantus-rs.ts';

/** Settings for `bench/harness/environment.ts`: faster servers than those of npm start, if they can be built here. */
export async function findBenchServers({
  log,
}: {
  log: (line: string) => void;
}): Promise<Record<string, string>> {
  const mongo = await findSecantusRs({ log });
  const jemalloc = await findJemalloc({ log });
  const centrifugo = findCentrifugo({ log });
  const sockudo = findSockudo({ log });
  const peers = [centrifugo, sockudo].flatMap((peer) => peer?.name ?? []);
  return {
    ...(mongo && { BENCH_MONGO: mongo.file, BENCH_MONGO_NAME: mongo.name }),
    ...(jemalloc && { BENCH_REDIS_PRELOAD: jemalloc.file, BENCH_REDIS_ALLOCATOR: jemalloc.name }),
    ...(centrifugo && { BENCH_CENTRIFUGO: centrifugo.file }),
    ...(sockudo && { BENCH_SOCKUDO: sockudo.file }),
    ...(peers.length > 0 && { BENCH_PEERS: peers.join(', ') }),
  };
}
