import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { until } from './until.ts';
import type { ApiLimits } from '../../src/settings/limits.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from './child-env.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A running API or worker process. */
export interface Spawned {
  pid: number;
  /** The address of an API; empty for a worker. */
  url: string;
  kill: (signal: NodeJS.Signals) => void;
  /** The last lines that it printed, on standard output and error. */
  output: () => string;
  /** Whether its standard output is read. If not, the pipe fills. */
  read: (isRead: boolean) => void;
  /** Resolves to its exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
  /** Kills it, also if it is frozen. */
  stop: () => Promise<void>;
}

const READY = { api: 'listening', worker: 'working' } as const;
const ENTRY = { api: 'src/api/main', worker: 'workers/main' } as const;
const API_WITH_LIMITS = 'test/harness/fixtures/api-with-limits.mjs';
/** Lines kept for the error message if a process ends too early. */
const LINES_KEPT = 20;

/**
 * Starts the API or a worker as a separate process. Resolves when it has logged that it is ready. Runs the sources; with
 * TEST_PROCESSES=built it runs `dist/`, which starts in half the time.
 * @param limits  of the API, if they differ from those of production
 */
export async function spawnProcess(
  role: 'api' | 'worker',
  env: Record<string, string>,
  limits: Partial<ApiLimits> = {},
): Promise<Spawned> {
  const built = process.env['TEST_PROCESSES'] === 'built';
  const [nodeArgs, folder, extension] = built ? [[], 'dist/', 'js'] : [SOURCE_ARGS, '', 'ts'];
  const entry =
    role === 'api' && Object.keys(limits).length > 0
      ? [API_WITH_LIMITS, `${folder}src`, extension, JSON.stringify(limits)]
      : [`${folder}${ENTRY[role]}.${extension}`];
  const child: ChildProcess = spawn(process.execPath, [...nodeArgs, ...entry], {
    cwd: ROOT,
    env: childEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal ?? code ?? -1);
    });
  });
  const printed: string[] = [];
  const note = (line: string): void => {
    if (printed.push(line) > LINES_KEPT) printed.shift();
  };
  child.stderr?.on('data', (chunk: Buffer) => {
    note(chunk.toString());
  });
  const ready = new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => {
      note(line);
      if (!line.startsWith('{')) return;
      const { msg, url } = JSON.parse(line) as { msg?: string; url?: string };
      if (msg === READY[role]) resolve(url ?? '');
    });
    void exited.then((how) => {
      reject(new Error(`the ${role} ended (${how}) before it was ready:\n${printed.join('\n')}`));
    });
  });
  ready.catch(() => undefined);
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
  const read = (isRead: boolean): void => {
    if (isRead) child.stdout?.resume();
    else child.stdout?.pause();
  };
  const stop = async (): Promise<void> => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exited;
  };
  try {
    const url = await until(`the ${role} to be ready`, ready, 90_000);
    return { pid: child.pid!, url, kill, read, output: () => printed.join('\n'), exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
