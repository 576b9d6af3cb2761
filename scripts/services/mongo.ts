import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOnFreePort } from '../process/free-port.ts';
import { findMongo, type MongoCommand } from './mongo-binary.ts';
import { isMongoReady } from './mongo-ready.ts';
import { startService, type ServiceHandle, type ServiceOptions } from './service.ts';

/**
 * Starts a MongoDB (or SecantusDB) on 127.0.0.1. Resolves when it answers as a writable primary.
 * @throws if no server can be found or installed, or if it does not answer; the message says what to do, or quotes its log
 */
export async function startMongo({
  dir,
  port,
  log = () => undefined,
}: ServiceOptions): Promise<ServiceHandle> {
  const { kind, command, args, env = process.env } = await findMongo({ log });
  // Neither can read the other's files.
  const dataDir = join(dir, kind);
  mkdirSync(dataDir, { recursive: true });
  return startOnFreePort(port, (chosen) =>
    startService({
      name: 'mongodb',
      dir,
      port: chosen,
      url: `mongodb://127.0.0.1:${chosen}`,
      command,
      args: [...args, ...SETTINGS[kind](chosen, dataDir)],
      env,
      isReady: isMongoReady,
    }),
  );
}

const SETTINGS: Record<MongoCommand['kind'], (port: number, dataDir: string) => string[]> = {
  mongod: (port, dataDir) => [
    ...['--bind_ip', '127.0.0.1', '--port', String(port), '--dbpath', dataDir],
    // By default, acknowledged writes wait up to 100 ms in memory for the journal; a SIGKILL would lose them.
    ...['--journalCommitInterval', '1'],
  ],
  secantus: (port, dataDir) => {
    // With a file, even an empty one, it does not look for settings in the home directory.
    const config = join(dataDir, '..', 'secantusd.toml');
    writeFileSync(config, '');
    return [
      ...['--config', config, '--host', '127.0.0.1', '--port', String(port), '--storage-path', dataDir],
      ...['--log-level', 'WARNING', '--cache-size', '256M'],
      // Without it, a SIGKILL loses acknowledged writes.
      '--sync-on-commit',
    ];
  },
};
