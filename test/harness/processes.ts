import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { until } from './until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One of our processes, as production runs it. */
export interface Spawned {
  pid: number;
  /** Where it listens, for the API. */
  url: string;
  kill: (signal: NodeJS.Signals) => void;
  /** Resolves to its exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
  /** Ends it, at once if need be. */
  stop: () => Promise<void>;
}

const READY = { api: 'listening', worker: 'working' } as const;
const ENTRY = { api: 'src/api.ts', worker: 'workers/main.ts' } as const;

/**
 * Starts the API or a worker as a process of its own; resolves when it says that it is ready.
 * @param root  where its code lies: another version's, for a test of upgrades
 */
export async function spawnProcess(
  role: 'api' | 'worker',
  env: Record<string, string>,
  root = ROOT,
): Promise<Spawned> {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', ENTRY[role]], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal ?? code ?? -1);
    });
  });
  const said: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const ready = new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => {
      said.push(line);
      if (!line.startsWith('{')) return;
      const { msg, url } = JSON.parse(line) as { msg?: string; url?: string };
      if (msg === READY[role]) resolve(url ?? '');
    });
    void exited.then((how) => {
      reject(new Error(`the ${role} ended (${how}) before it was ready:\n${said.slice(-20).join('\n')}`));
    });
  });
  ready.catch(() => undefined);
  const stop = async (): Promise<void> => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exited;
  };
  try {
    const url = await until(`the ${role} to be ready`, ready, 90_000);
    return { pid: child.pid!, url, kill: (signal) => child.kill(signal), exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
