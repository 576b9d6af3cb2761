import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

/** Memory of a process in bytes, after a garbage collection. */
export interface Memory {
  rss: number;
  heapUsed: number;
  external: number;
  /** Active timers, sockets and requests, and listeners of `process`. */
  handles: number;
}

/** Reads the memory of our processes: start them with `env`, then `read` by their ids. */
export function createMemoryReader() {
  // Not in the folder of the test run: the path of a socket is limited to about 100 characters.
  const dir = mkdtempSync(join(tmpdir(), 'memory-'));
  return {
    env: {
      NODE_OPTIONS: `--import=${new URL('./report-memory.mjs', import.meta.url).href}`,
      MEMORY_DIR: dir,
    },
    read(pid: number): Promise<Memory> {
      const memory = new Promise<Memory>((resolve, reject) => {
        let text = '';
        connect(join(dir, `${pid}.sock`))
          .on('error', reject)
          .on('data', (bytes: Buffer) => (text += bytes.toString()))
          .on('end', () => {
            resolve(JSON.parse(text) as Memory);
          });
      });
      return until(`the memory of process ${pid}`, memory);
    },
    close: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The number of files and sockets that a process has open. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
