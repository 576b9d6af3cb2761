import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isMongoReady } from '../../scripts/services/mongo-ready.ts';
import { startMongo } from '../../scripts/services/mongo.ts';
import { startService, type ServiceHandle } from '../../scripts/services/service.ts';
import { startOnFreePort } from '../../scripts/process/free-port.ts';

/** Starts the binary named by `BENCH_MONGO`, which is too fast to be the bottleneck; else the MongoDB of `npm start`. */
export async function startBenchMongo(dir: string): Promise<ServiceHandle> {
  const command = process.env['BENCH_MONGO'];
  if (command === undefined) return startMongo({ dir });
  mkdirSync(join(dir, 'data'), { recursive: true });
  return startOnFreePort(undefined, (port) =>
    startService({
      name: 'mongodb',
      dir,
      port,
      url: `mongodb://127.0.0.1:${port}`,
      command,
      args: ['--port', String(port), '--storage-path', join(dir, 'data')],
      isReady: isMongoReady,
    }),
  );
}
