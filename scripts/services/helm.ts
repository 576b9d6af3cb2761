import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { withLock } from '../process/lock.mjs';
import { findOnPath } from './find-program.ts';

const VERSION = '4.3.2';
const DIR = join(RUNTIME_DIR, 'helm');
const BINARY = join(DIR, `helm-${VERSION}`);

/**
 * Builds Helm with Go from its module, for tests of deploy/helm. Built once.
 * @returns its executable file, or the reason why there is none
 */
export async function findHelm({
  log,
}: {
  log: (line: string) => void;
}): Promise<{ file: string } | { reason: string }> {
  return withLock(join(RUNTIME_DIR, 'locks', 'helm.lock'), async () => {
    if (existsSync(BINARY)) return { file: BINARY };
    const go = findOnPath(['go']);
    if (!go) return { reason: 'go is not on PATH' };
    log('building Helm with go; this happens once and takes some minutes');
    const args = ['install', '-trimpath', '-ldflags=-s -w', `helm.sh/helm/v4/cmd/helm@v${VERSION}`];
    const env = { CGO_ENABLED: '0', GOBIN: DIR, GOFLAGS: '', GOTOOLCHAIN: 'local', GOWORK: 'off' };
    const built = await command(go, args, { env });
    if (built.failed) return { reason: `go could not build it:\n${excerptOf(built)}` };
    await rename(join(DIR, 'helm'), BINARY);
    return { file: BINARY };
  });
}
