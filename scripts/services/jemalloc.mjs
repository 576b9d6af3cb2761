import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { withLock } from '../process/lock.mjs';
import { findOnPath } from '../process/on-path.mjs';
import { run } from '../process/run.mjs';

const CRATE = 'tikv-jemalloc-sys';
const VERSION = '0.6.0';
const BUILD_DIR = join(RUNTIME_DIR, 'bench', 'jemalloc');
const LIBRARY = join(BUILD_DIR, 'libjemalloc.so');

/**
 * The allocator that released builds of Redis and Valkey carry, for benchmarks: the server of the Python package has the
 * one of the C library, which is slower the more is held. Built once by cargo, to be preloaded.
 * @param {{ log: (line: string) => void }} options
 * @returns {Promise<{ file: string, name: string } | undefined>} `undefined` where there is no cargo or cc, or it fails
 */
export async function findJemalloc({ log }) {
  await withLock(join(RUNTIME_DIR, 'locks', 'jemalloc.lock'), async () => {
    const [cargo, cc] = [findOnPath(['cargo']), findOnPath(['cc', 'gcc', 'clang'])];
    if (existsSync(LIBRARY) || process.platform !== 'linux' || !cargo || !cc) return;
    log(`building ${CRATE} with cargo, once; it takes a minute`);
    writeCrate();
    const manifest = ['--manifest-path', join(BUILD_DIR, 'Cargo.toml')];
    const built = await run(cargo, ['build', '--release', ...manifest, '--target-dir', BUILD_DIR]);
    const archive = built.ok && findArchive();
    const all = archive && ['-Wl,--whole-archive', archive, '-Wl,--no-whole-archive'];
    const linked = all && (await run(cc, ['-shared', '-o', LIBRARY, ...all, '-lpthread', '-ldl', '-lm']));
    if (!linked || !linked.ok) log(`it could not be built:\n${(linked || built).excerpt}`);
  });
  if (existsSync(LIBRARY)) return { file: LIBRARY, name: `jemalloc (${CRATE} ${VERSION})` };
  log("without jemalloc Redis has its own build's allocator");
  return undefined;
}

/** One that does nothing: what it depends on is what is built. */
function writeCrate() {
  mkdirSync(join(BUILD_DIR, 'src'), { recursive: true });
  writeFileSync(join(BUILD_DIR, 'src', 'lib.rs'), '');
  const features = '["unprefixed_malloc_on_supported_platforms"]';
  const lines = ['[package]', 'name = "jemalloc"', 'version = "0.0.0"', 'edition = "2021"', '[dependencies]'];
  lines.push(`${CRATE} = { version = "=${VERSION}", features = ${features} }`);
  writeFileSync(join(BUILD_DIR, 'Cargo.toml'), `${lines.join('\n')}\n`);
}

function findArchive() {
  const builds = join(BUILD_DIR, 'release', 'build');
  return readdirSync(builds)
    .map((name) => join(builds, name, 'out', 'lib', 'libjemalloc_pic.a'))
    .find((file) => existsSync(file));
}
