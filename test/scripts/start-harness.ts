import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { childEnv } from '../harness/child-env.ts';

const START = new URL('../../scripts/start.mjs', import.meta.url).pathname;

export interface NpmStart {
  dir: string;
  process: ChildProcess;
  /** All that it has printed. */
  output: () => string;
  /** Resolves with the output when it has printed `words`. */
  prints: (words: string, withinMs?: number) => Promise<string>;
  /** Resolves with its exit code. */
  ends: (withinMs?: number) => Promise<number | null>;
}

export function newStartDir(): string {
  return mkdtempSync(join(process.env.TEST_RUN_DIR!, 'start-'));
}

/** Runs what `npm start` runs, as an instance of its own. Services of the test's environment are not passed on. */
export function npmStart(env: Record<string, string>, dir = newStartDir()): NpmStart {
  const { LANG, RUNTIME_REDIS, RUNTIME_MONGO } = process.env;
  const child = spawn(process.execPath, [START], {
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
        reject(new Error(`waited ${ms} ms in vain for ${what}; it printed:\n${text}`));
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
        const look = (): void => {
          if (text.includes(words)) resolve(text);
        };
        listeners.add(look);
        void closed.then(() => {
          reject(new Error(`npm start ended before it printed "${words}"; it printed:\n${text}`));
        });
        look();
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
