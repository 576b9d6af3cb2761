import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { startOnFreePort } from '../process/free-port.ts';
import { withLock } from '../process/lock.mjs';
import { findOnPath } from './find-program.ts';
import { isMongoReady } from './mongo-ready.ts';
import { startService, type ServiceHandle, type ServiceOptions } from './service.ts';

const SOURCES = join(import.meta.dirname, 'ferretdb');
/** The version is that of `ferretdb/go.mod`. */
const BINARY = join(RUNTIME_DIR, 'ferretdb', 'ferretdb-1.24.2');

/**
 * Builds FerretDB, a second server with MongoDB's protocol for tests, with Go from its module. Built once.
 * @returns its executable file, or the reason why there is none
 */
export async function findFerretDb({
  log,
}: {
  log: (line: string) => void;
}): Promise<{ file: string } | { reason: string }> {
  return withLock(join(RUNTIME_DIR, 'locks', 'ferretdb.lock'), async () => {
    if (existsSync(BINARY)) return { file: BINARY };
    const go = findOnPath(['go']);
    if (!go) return { reason: 'go is not on PATH' };
    log('building FerretDB with go; this happens once and takes one or two minutes');
    const args = ['build', '-mod=readonly', '-trimpath', '-ldflags=-s -w', '-o', BINARY, '.'];
    const env = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' };
    const built = await command(go, args, { cwd: SOURCES, env });
    return built.failed ? { reason: `go could not build it:\n${excerptOf(built)}` } : { file: BINARY };
  });
}

/** Starts FerretDB with SQLite on 127.0.0.1. Resolves when it answers as a writable primary. */
export function startFerretDb(file: string, { dir, port }: ServiceOptions): Promise<ServiceHandle> {
  return startOnFreePort(port, (chosen) =>
    startService({
      name: 'ferretdb',
      dir,
      port: chosen,
      url: `mongodb://127.0.0.1:${chosen}`,
      command: file,
      args: [`127.0.0.1:${chosen}`, dir],
      isReady: isMongoReady,
    }),
  );
}
