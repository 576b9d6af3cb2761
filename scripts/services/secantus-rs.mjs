import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { withLock } from '../process/lock.mjs';
import { findOnPath } from '../process/on-path.mjs';
import { run } from '../process/run.mjs';

const CRATE = { name: 'secantus-mdb', version: '0.5.3-beta.196' };
const TOOLS_DIR = join(RUNTIME_DIR, 'bench');
const BINARY = join(TOOLS_DIR, 'bin', 'secantusd-rs');

/**
 * SecantusDB's server in Rust, for benchmarks: the one of `npm start` is slower than what is measured. Built once by cargo.
 * @param {{ log: (line: string) => void }} options
 * @returns {Promise<{ file: string, name: string } | undefined>} `undefined` where there is no cargo, or it fails
 */
export async function findSecantusRs({ log }) {
  await withLock(join(RUNTIME_DIR, 'locks', 'secantus-rs.lock'), async () => {
    const cargo = findOnPath(['cargo']);
    if (existsSync(BINARY) || !cargo) return;
    log(`building ${CRATE.name} with cargo, once; it takes some minutes`);
    const args = ['install', CRATE.name, '--version', CRATE.version, '--ignore-rust-version'];
    const built = await run(cargo, [...args, '--root', TOOLS_DIR]);
    if (!built.ok) log(`it could not be built:\n${built.excerpt}`);
  });
  if (existsSync(BINARY)) return { file: BINARY, name: `SecantusDB (${CRATE.name} ${CRATE.version})` };
  log('without it the MongoDB of npm start is used, and is the first limit');
  return undefined;
}
