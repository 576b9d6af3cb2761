import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../../scripts/paths.mjs';
import { command, excerptOf } from '../../scripts/process/command.ts';
import { withLock } from '../../scripts/process/lock.mjs';
import { findOnPath } from '../../scripts/services/find-program.ts';
import type { BenchTool } from '../../scripts/services/secantus-rs.ts';
import { INSTALL_PEERS } from './install-centrifugo.ts';

const VERSION = '5.2.0';
const ROOT = join(RUNTIME_DIR, 'bench', `sockudo-${VERSION}`);
const BINARY = join(ROOT, 'bin', 'sockudo');
/** Without the drivers of other message brokers and databases. */
const FEATURES = 'local,v2,redis';

/** Returns Sockudo if it is installed. If not, logs how to install it. */
export function findSockudo({ log }: { log: (line: string) => void }): BenchTool | undefined {
  if (existsSync(BINARY)) return { file: BINARY, name: `Sockudo ${VERSION}` };
  log(
    `no Sockudo: its contenders are left out. To install it: ${INSTALL_PEERS} (needs cargo and protoc, takes half an hour)`,
  );
  return undefined;
}

/** Builds Sockudo with cargo, once, with the versions of its own Cargo.lock. @throws if it cannot be built */
export async function installSockudo({ log }: { log: (line: string) => void }): Promise<void> {
  await withLock(join(RUNTIME_DIR, 'locks', 'sockudo.lock'), async () => {
    if (existsSync(BINARY)) return;
    const cargo = findOnPath(['cargo']);
    if (!cargo) throw new Error('Sockudo is built with cargo, and there is no cargo on PATH');
    log(`building Sockudo ${VERSION} with cargo; this happens once and takes about half an hour`);
    const features = ['--no-default-features', '--features', FEATURES];
    // With a target directory of its own, an attempt after a failure begins where that one ended.
    const dirs = ['--root', ROOT, '--target-dir', join(ROOT, 'target')];
    const args = ['install', 'sockudo', '--version', VERSION, '--locked', ...features, ...dirs];
    const built = await command(cargo, args);
    if (built.failed) throw new Error(`cargo could not build Sockudo:\n${excerptOf(built)}`);
    rmSync(join(ROOT, 'target'), { recursive: true });
  });
  log(`Sockudo ${VERSION} is installed: ${BINARY}`);
}
