import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** For messages: programs say what went wrong at the beginning or at the end. */
const FIRST_LINES = 12;
const LAST_LINES = 18;
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * Runs a command to its end. Its output is handed on line by line, and an excerpt is kept for messages.
 * @param {string} command
 * @param {string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(line: string) => 'leave out' | unknown} [options.onLine]  may keep a line out of the excerpt
 * @param {AbortSignal} [options.signal]  ends it
 * @returns {Promise<{ ok: boolean, missing: boolean, stdout: string, excerpt: string }>}
 *   `missing`: there is no such command. Never rejects.
 */
export function run(command, args, { cwd, env = process.env, onLine, signal } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    signal?.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    let stdout = '';
    /** @type {string[]} */
    const lines = [];
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => (stdout += chunk));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (onLine?.(line) === 'leave out') return;
        if (lines.push(line) > FIRST_LINES + LAST_LINES) lines.splice(FIRST_LINES, 1);
      });
    }
    const end = (/** @type {boolean} */ ok, /** @type {boolean} */ missing) => {
      running.delete(child);
      resolve({ ok, missing, stdout, excerpt: lines.join('\n') });
    };
    child.once('error', (error) => {
      lines.push(error.message);
      end(false, /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT');
    });
    child.once('close', (code) => end(code === 0, false));
  });
}

/** For the moment we are told to stop: no download goes on behind our back. */
export function endRunningCommands() {
  for (const child of running) child.kill('SIGTERM');
}
