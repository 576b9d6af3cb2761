import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system in memory that can be full. */
export interface SmallDisk {
  dir: string;
  /** Makes it as small as what it holds. */
  fill: () => void;
  free: () => void;
  remove: () => void;
}

const BLOCK_BYTES = 4_096;
/** 16 MiB. */
const MAX_SPARE_BLOCKS = 4_096;

/** @returns undefined if mounting is not permitted */
export function createSmallDisk(name: string, maxBytes: number): SmallDisk | undefined {
  const dir = mkdtempSync(join(tmpdir(), `${name}-`));
  const mount = (...args: string[]) => execFileSync('mount', [...args, dir], { stdio: 'ignore' });
  const resize = (bytes: number) => mount('-o', `remount,size=${bytes}`);
  try {
    mount('-t', 'tmpfs', '-o', `size=${maxBytes}`, 'tmpfs');
  } catch {
    rmSync(dir, { recursive: true });
    return undefined;
  }
  return {
    dir,
    fill() {
      // A process may write meanwhile, and the size must not be below what is used.
      for (let spareBlocks = 1; ; spareBlocks *= 8) {
        const { blocks, bfree } = statfsSync(dir);
        try {
          resize((blocks - bfree + spareBlocks) * BLOCK_BYTES);
          return;
        } catch (error) {
          if (spareBlocks >= MAX_SPARE_BLOCKS) throw error;
        }
      }
    },
    free() {
      resize(maxBytes);
    },
    remove() {
      execFileSync('umount', ['--lazy', dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
