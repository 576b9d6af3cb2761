import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { withLock } from '../process/lock.mjs';
import { findOnPath } from './find-program.ts';
import type { BenchTool } from './secantus-rs.ts';

const CRATE = 'tikv-jemalloc-sys';
const VERSION = '0.6.0';
const BUILD_DIR = join(RUNTIME_DIR, 'bench', 'jemalloc');
const LIBRARY = join(BUILD_DIR, 'libjemalloc.so');

/**
 * The allocator of released builds of Redis and Valkey, for benchmarks. The server in the Python package uses the C
 * library's allocator, which slows down as the data grows. Built once by cargo; benchmarks preload it.
 * @returns undefined if there is no cargo or C compiler, or if it cannot be built
 */
export async function findJemalloc({ log }: { log: (line: string) => void }): Promise<BenchTool | undefined> {
  await withLock(join(RUNTIME_DIR, 'locks', 'jemalloc.lock'), async () => {
    const [cargo, cc] = [findOnPath(['cargo']), findOnPath(['cc', 'gcc', 'clang'])];
    if (existsSync(LIBRARY) || process.platform !== 'linux' || !cargo || !cc) return;
    log(`building ${CRATE} with cargo; this happens once and takes a minute`);
    const reason = await build(cargo, cc);
    if (reason) log(`${CRATE} could not be built:\n${reason}`);
  });
  if (existsSync(LIBRARY)) return { file: LIBRARY, name: `jemalloc (${CRATE} ${VERSION})` };
  log('jemalloc was not found: Redis uses the allocator that it was built with');
  return undefined;
}

/** @returns why it could not be built */
async function build(cargo: string, cc: string): Promise<string | undefined> {
  writeCrate();
  const manifest = ['--manifest-path', join(BUILD_DIR, 'Cargo.toml')];
  const built = await command(cargo, ['build', '--release', ...manifest, '--target-dir', BUILD_DIR]);
  if (built.failed) return excerptOf(built);
  const archive = findArchive();
  if (archive === undefined) return 'cargo did not build libjemalloc_pic.a';
  const all = ['-Wl,--whole-archive', archive, '-Wl,--no-whole-archive'];
  const linked = await command(cc, ['-shared', '-o', LIBRARY, ...all, '-lpthread', '-ldl', '-lm']);
  return linked.failed ? excerptOf(linked) : undefined;
}

/** Writes an empty crate: cargo builds its dependency. */
function writeCrate(): void {
  mkdirSync(join(BUILD_DIR, 'src'), { recursive: true });
  writeFileSync(join(BUILD_DIR, 'src', 'lib.rs'), '');
  const features = '["unprefixed_malloc_on_supported_platforms"]';
  const lines = ['[package]', 'name = "jemalloc"', 'version = "0.0.0"', 'edition = "2021"', '[dependencies]'];
  lines.push(`${CRATE} = { version = "=${VERSION}", features = ${features} }`);
  writeFileSync(join(BUILD_DIR, 'Cargo.toml'), `${lines.join('\n')}\n`);
}

function findArchive(): string | undefined {
  const builds = join(BUILD_DIR, 'release', 'build');
  return readdirSync(builds)
    .map((name) => join(builds, name, 'out', 'lib', 'libjemalloc_pic.a'))
    .find((file) => existsSync(file));
}
