import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../test/harness/until.ts';
import type { Scenario } from './scenario.ts';

const DISK_BYTES = 1_048_576;

/** A disk of 1 MB if mounting is permitted; else a log file that rejects every write (`/dev/full`). */
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
        // The disk is full, as intended.
      }
    },
    /** Frees the disk. Resolves when log lines are written again. */
    async free() {
      if (!isMounted) return;
      const size = () => statSync(join(dir, 'combined.log')).size;
      const before = size();
      rmSync(filler);
      await eventually('a line to be written', () => size() > before);
    },
    cleanUp() {
      if (isMounted) execFileSync('umount', ['--lazy', dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const LOG_FAULTS: readonly Scenario[] = [fullDisk()];

function fullDisk(): Scenario {
  let disk: ReturnType<typeof smallDisk> | undefined;
  return {
    fault: 'The log disk is full and standard output is not read',
    allowedOutcomes: [],
    effect: 'Log lines are dropped.',
    appointments: 200,
    testbed: () => {
      disk = smallDisk();
      return Promise.resolve({ env: { LOG_DIR: disk.dir, LOG_LEVEL: 'trace' } });
    },
    async inject({ testbed: { fleet, workload } }) {
      const processes = [...fleet.gateways, ...fleet.workers].map(({ process }) => process);
      disk?.fill();
      for (const process of processes) process?.read(false);
      // Enough lines to fill the pipes.
      await workload.emitAll();
      return async () => {
        for (const process of processes) process?.read(true);
        await disk?.free();
      };
    },
    cleanUp: () => disk?.cleanUp(),
  };
}
