import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { childEnv } from '../harness/child-env.ts';

const RUN = new URL('../../scripts/run.mjs', import.meta.url).pathname;

export interface NpmStart {
  dir: string;
  process: ChildProcess;
  /** Everything that it has printed. */
  output: () => string;
  /** Resolves with the output once it contains `words`. */
  prints: (words: string, withinMs?: number) => Promise<string>;
  /** Resolves with its exit code. */
  ends: (withinMs?: number) => Promise<number | null>;
}

export function newStartDir(): string {
  return mkdtempSync(join(process.env.TEST_RUN_DIR!, 'start-'));
}

/** Runs what `npm start` runs, as a separate instance. It does not inherit the servers of the test's environment. */
export function npmStart(env: Record<string, string>, dir = newStartDir()): NpmStart {
  const { LANG, RUNTIME_REDIS, RUNTIME_MONGO } = process.env;
  const child = spawn(process.execPath, [RUN, 'start'], {
    env: childEnv({
      LANG,
      RUNTIME_REDIS,
      RUNTIME_MONGO,
      START_DIR: dir,
      LOG_DIR: join(dir, 'app-logs'),
      ...env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const listener of listeners) listener();
    });
  }
  const closed = once(child, 'close') as Promise<[number | null]>;

  const within = async <T>(ms: number, what: string, promise: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`timed out after ${ms} ms waiting for ${what}; it printed:\n${text}`));
      }, ms);
    });
    return Promise.race([promise, late]).finally(() => {
      clearTimeout(timer);
    });
  };

  return {
    dir,
    process: child,
    output: () => text,
    prints: (words, withinMs = 30_000) => {
      const printed = new Promise<string>((resolve, reject) => {
        const check = (): void => {
          if (text.includes(words)) resolve(text);
        };
        listeners.add(check);
        void closed.then(() => {
          reject(new Error(`npm start ended before it printed "${words}"; it printed:\n${text}`));
        });
        check();
      });
      return within(withinMs, `"${words}"`, printed);
    },
    ends: (withinMs = 15_000) =>
      within(
        withinMs,
        'npm start to end',
        closed.then(([code]) => code),
      ),
  };
}
