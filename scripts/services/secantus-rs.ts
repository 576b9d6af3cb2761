import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { withLock } from '../process/lock.mjs';
import { findOnPath } from './find-program.ts';

const CRATE = { name: 'secantus-mdb', version: '0.5.3-beta.196' };
const TOOLS_DIR = join(RUNTIME_DIR, 'bench');
const BINARY = join(TOOLS_DIR, 'bin', 'secantusd-rs');

/** Something that benchmarks use beside what npm start installs. */
export interface BenchTool {
  file: string;
  /** For the report: its name and version. */
  name: string;
}

/**
 * SecantusDB's server in Rust, for benchmarks: the server of `npm start` is slower than what is measured. Built once by
 * cargo.
 * @returns undefined if there is no cargo, or if it cannot be built
 */
export async function findSecantusRs({
  log,
}: {
  log: (line: string) => void;
}): Promise<BenchTool | undefined> {
  await withLock(join(RUNTIME_DIR, 'locks', 'secantus-rs.lock'), async () => {
    const cargo = findOnPath(['cargo']);
    if (existsSync(BINARY) || !cargo) return;
    log(`building ${CRATE.name} with cargo; this happens once and takes some minutes`);
    const args = ['install', CRATE.name, '--version', CRATE.version, '--ignore-rust-version'];
    const built = await command(cargo, [...args, '--root', TOOLS_DIR]);
    if (built.failed) log(`${CRATE.name} could not be built:\n${excerptOf(built)}`);
  });
  if (existsSync(BINARY)) return { file: BINARY, name: `SecantusDB (${CRATE.name} ${CRATE.version})` };
  log(`no ${CRATE.name}: the MongoDB of npm start is used, and limits the results`);
  return undefined;
}
