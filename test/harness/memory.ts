import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

/** What a process takes, in bytes; after garbage was collected. */
export interface Memory {
  rss: number;
  heapUsed: number;
  external: number;
}

/** A way to ask our own processes for their memory: give them `env`, then `read` by their ids. */
export function createMemoryReader() {
  // The path of a socket may have some hundred characters: not the run's own folder.
  const dir = mkdtempSync(join(tmpdir(), 'memory-'));
  return {
    env: {
      NODE_OPTIONS: `--import=${new URL('./tell-memory.mjs', import.meta.url).href}`,
      MEMORY_DIR: dir,
    },
    read(pid: number): Promise<Memory> {
      const told = new Promise<Memory>((resolve, reject) => {
        let text = '';
        connect(join(dir, `${pid}.sock`))
          .on('error', reject)
          .on('data', (bytes: Buffer) => (text += bytes.toString()))
          .on('end', () => {
            resolve(JSON.parse(text) as Memory);
          });
      });
      return until(`process ${pid} to tell its memory`, told);
    },
    close: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** How many files and sockets a process has open. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
