import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../test/harness/until.ts';
import type { Scenario } from './scenario.ts';

const DISK_BYTES = 1_048_576;

/** A disk of 1 MB where we may mount one; else a file that takes no byte. */
function smallDisk() {
  const dir = mkdtempSync(join(tmpdir(), 'full-disk-'));
  const filler = join(dir, 'filler');
  let isMounted = true;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    isMounted = false;
    symlinkSync('/dev/full', join(dir, 'combined.log'));
  }
  return {
    dir,
    fill() {
      try {
        if (isMounted) writeFileSync(filler, Buffer.alloc(DISK_BYTES));
      } catch {
        // It is full.
      }
    },
    /** Resolves when lines are written again. */
    async free() {
      if (!isMounted) return;
      const size = () => statSync(join(dir, 'combined.log')).size;
      const before = size();
      rmSync(filler);
      await eventually('a line to be written', () => size() > before);
    },
    clean() {
      if (isMounted) execFileSync('umount', ['--lazy', dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const LOG_FAULTS: readonly Scenario[] = [fullDisk()];

function fullDisk(): Scenario {
  let disk: ReturnType<typeof smallDisk> | undefined;
  return {
    fault: 'The logs’ disk is full, and nobody reads standard output',
    answers: [],
    seen: 'Nothing; lines are dropped.',
    appointments: 200,
    arena: () => {
      disk = smallDisk();
      return Promise.resolve({ env: { LOG_DIR: disk.dir, LOG_LEVEL: 'trace' } });
    },
    async inflict({ arena: { fleet, shop } }) {
      const processes = [...fleet.gateways, ...fleet.workers].map(({ process }) => process);
      disk?.fill();
      for (const process of processes) process?.read(false);
      // Enough lines to fill the pipes.
      await shop.announceAll();
      return async () => {
        for (const process of processes) process?.read(true);
        await disk?.free();
      };
    },
    clean: () => disk?.clean(),
  };
}
