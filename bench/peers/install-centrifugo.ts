import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../../scripts/paths.mjs';
import { command, excerptOf } from '../../scripts/process/command.ts';
import { withLock } from '../../scripts/process/lock.mjs';
import { findOnPath } from '../../scripts/services/find-program.ts';
import type { BenchTool } from '../../scripts/services/secantus-rs.ts';

type Log = (line: string) => void;

const MODULE = 'github.com/centrifugal/centrifugo/v6';
/** The version of `centrifugo/go.mod`; `centrifugo/go.sum` has the checksums of all its modules. */
const VERSION = '6.9.1';
const PINNED_MODULES = join(import.meta.dirname, 'centrifugo');
const BINARY = join(RUNTIME_DIR, 'bench', 'bin', `centrifugo-${VERSION}`);
export const INSTALL_PEERS = 'npm run bench -- --install-peers';

/** Returns Centrifugo if it is installed. If not, logs how to install it: the build takes too long to start unasked. */
export function findCentrifugo({ log }: { log: Log }): BenchTool | undefined {
  if (existsSync(BINARY)) return { file: BINARY, name: `Centrifugo ${VERSION}` };
  log(
    `no Centrifugo: its contenders are left out. To install it: ${INSTALL_PEERS} (needs Go, takes some minutes)`,
  );
  return undefined;
}

/** Builds Centrifugo with Go from its module, once. @throws if there is no Go, or if the build fails */
export async function installCentrifugo({ log }: { log: Log }): Promise<void> {
  await withLock(join(RUNTIME_DIR, 'locks', 'centrifugo.lock'), async () => {
    if (existsSync(BINARY)) return;
    const go = findOnPath(['go']);
    if (!go) throw new Error('Centrifugo is built with Go, and there is no go on PATH');
    log(`building Centrifugo ${VERSION} with go; this happens once and takes some minutes`);
    const args = ['build', '-mod=readonly', '-trimpath', '-ldflags=-s -w', '-o', BINARY, MODULE];
    const env = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' };
    const built = await command(go, args, { cwd: PINNED_MODULES, env });
    if (built.failed) throw new Error(`go could not build Centrifugo:\n${excerptOf(built)}`);
  });
  log(`Centrifugo ${VERSION} is installed: ${BINARY}`);
}
