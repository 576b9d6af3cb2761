import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findMongo } from './mongo-binary.mjs';
import { isMongoReady } from './mongo-ready.mjs';
import { startService } from './service.mjs';
import { startOnFreePort } from './start-on-free-port.mjs';

/** @type {typeof import('./mongo.mjs').startMongo} */
export async function startMongo({ dir, port, log }) {
  const { kind, command, args, env } = await findMongo({ log });
  // The two don't read each other's files.
  const dataDir = join(dir, kind);
  mkdirSync(dataDir, { recursive: true });
  return startOnFreePort(port, (chosen) =>
    startService({
      name: 'mongodb',
      dir,
      port: chosen,
      url: `mongodb://127.0.0.1:${chosen}`,
      command,
      args: [...args, ...settings[kind](chosen, dataDir)],
      env,
      isReady: isMongoReady,
    }),
  );
}

/** @type {Record<import('./mongo-binary.mjs').MongoKind, (port: number, dataDir: string) => string[]>} */
const settings = {
  mongod: (port, dataDir) => [
    ...['--bind_ip', '127.0.0.1', '--port', String(port), '--dbpath', dataDir],
    // Acknowledged writes wait in memory for the journal, 100 ms by default: a SIGKILL should find none.
    ...['--journalCommitInterval', '1'],
  ],
  secantus: (port, dataDir) => {
    // Naming a file, even an empty one, keeps it from looking for settings in the home directory.
    const config = join(dataDir, '..', 'secantusd.toml');
    writeFileSync(config, '');
    return [
      ...['--config', config, '--host', '127.0.0.1', '--port', String(port), '--storage-path', dataDir],
      ...['--log-level', 'WARNING', '--cache-size', '256M'],
      // Without it acknowledged writes are lost on SIGKILL.
      '--sync-on-commit',
    ];
  },
};
