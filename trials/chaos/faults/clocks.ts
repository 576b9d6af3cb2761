import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackDebianPackage } from '../../../scripts/services/debian-package.ts';

const PACKAGE = 'libfaketime';
/** Seconds until a process notices a jump. */
const NOTICED_WITHIN_S = '1';

/** The wall clocks of processes that were started with the environment of `envOf`. Their timers stay right. */
export interface Clocks {
  envOf: (name: string) => Record<string, string>;
  /** Sets a clock this many seconds ahead of the right time, or behind it. */
  set: (name: string, seconds: number) => void;
  remove: () => void;
}

/** @returns why clocks cannot be changed here */
export async function createClocks(): Promise<Clocks | { reason: string }> {
  const unpacked = await unpackDebianPackage({
    ...{ name: PACKAGE, folder: PACKAGE, hasDependencies: false },
    onDownload: () => undefined,
  });
  if ('reason' in unpacked) return unpacked;
  const lib = join(unpacked.root, 'usr', 'lib');
  const [machine = ''] = readdirSync(lib);
  const dir = mkdtempSync(join(tmpdir(), 'clocks-'));
  const fileOf = (name: string) => join(dir, name.replaceAll(' ', '-'));
  function set(name: string, seconds: number): void {
    // Renamed, so that a process never reads half of it.
    const next = `${fileOf(name)}.next`;
    writeFileSync(next, `${seconds < 0 ? '' : '+'}${seconds}s\n`);
    renameSync(next, fileOf(name));
  }
  return {
    envOf(name) {
      set(name, 0);
      return {
        LD_PRELOAD: join(lib, machine, 'faketime', 'libfaketime.so.1'),
        FAKETIME_TIMESTAMP_FILE: fileOf(name),
        FAKETIME_CACHE_DURATION: NOTICED_WITHIN_S,
        DONT_FAKE_MONOTONIC: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      };
    },
    set,
    remove() {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
