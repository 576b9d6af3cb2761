import { setTimeout as delay } from 'node:timers/promises';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** Who ran for so long has recovered from what was wrong. */
const STEADY_AFTER_MS = 60_000;

/**
 * Starts a process of ours again when it dies, after a delay that grows while it keeps dying.
 * @param {{ name: string, process: import('node:child_process').ChildProcess, restart: () => Promise<void> }} target
 * @param {{ say: (line: string) => void, signal: AbortSignal }} options  `signal`: from then on it may end
 */
export function keepRunning(target, { say, signal }) {
  const { name } = target;
  let delayMs = FIRST_DELAY_MS;
  watch();

  function watch() {
    const child = target.process;
    const startedAt = performance.now();
    let noticed = false;
    const onExit = () => {
      if (noticed || signal.aborted) return;
      noticed = true;
      if (performance.now() - startedAt > STEADY_AFTER_MS) delayMs = FIRST_DELAY_MS;
      void startAgain(`ended (${child.signalCode ?? `code ${child.exitCode}`})`);
    };
    child.once('exit', onExit);
    if (child.exitCode !== null || child.signalCode !== null) onExit();
  }

  /** @param {string} what */
  async function startAgain(what) {
    say(`${name} ${what}; starting it again in ${delayMs / 1000} s`);
    try {
      await delay(delayMs, undefined, { signal });
    } catch {
      return; // we are told to stop
    }
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
    try {
      await target.restart();
    } catch (error) {
      if (!signal.aborted) await startAgain(`did not start: ${/** @type {Error} */ (error).message}`);
      return;
    }
    if (signal.aborted) return;
    say(`${name} was started again (process ${target.process.pid})`);
    watch();
  }
}
