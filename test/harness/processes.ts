import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from './until.ts';
import type { ApiLimits } from '../../src/settings/limits.ts';
import { PROJECT_DIR } from '../../scripts/paths.mjs';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from './child-env.ts';

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

/** How Node runs our programs: compiled, from the folder TEST_BUILD_DIR; without it from their sources. */
export function programCode() {
  const folder = process.env['TEST_BUILD_DIR'];
  return folder
    ? { nodeArgs: [], folder, extension: 'js' }
    : { nodeArgs: SOURCE_ARGS, folder: PROJECT_DIR, extension: 'ts' };
}

/**
 * Starts the API or a worker as a separate process. Resolves when it has logged that it is ready.
 * @param limits  of the API, if they differ from those of production
 */
export async function spawnProcess(
  role: 'api' | 'worker',
  env: Record<string, string>,
  limits: Partial<ApiLimits> = {},
): Promise<Spawned> {
  const { nodeArgs, folder, extension } = programCode();
  const entry =
    role === 'api' && Object.keys(limits).length > 0
      ? [API_WITH_LIMITS, join(folder, 'src'), extension, JSON.stringify(limits)]
      : [join(folder, `${ENTRY[role]}.${extension}`)];
  const child: ChildProcess = spawn(process.execPath, [...nodeArgs, ...entry], {
    cwd: PROJECT_DIR,
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
