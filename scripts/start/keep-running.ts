import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded } from '../process/group.ts';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** After this time without a crash, the delay starts at its minimum again. */
const STABLE_AFTER_MS = 60_000;

interface Target {
  readonly name: string;
  readonly process: ChildProcess;
  restart: () => Promise<void>;
}

/**
 * Restarts a process when it ends. The delay before a restart doubles while the process keeps ending.
 * @param signal once it aborts, the process may end
 */
export function keepRunning(
  target: Target,
  { say, signal }: { say: (line: string) => void; signal: AbortSignal },
): void {
  const { name } = target;
  let delayMs = FIRST_DELAY_MS;
  watch();

  function watch(): void {
    const child = target.process;
    const startedAt = performance.now();
    let isHandled = false;
    const onExit = (): void => {
      if (isHandled || signal.aborted) return;
      isHandled = true;
      if (performance.now() - startedAt > STABLE_AFTER_MS) delayMs = FIRST_DELAY_MS;
      void restart(`ended (${child.signalCode ?? `code ${child.exitCode}`})`);
    };
    child.once('exit', onExit);
    if (hasEnded(child)) onExit();
  }

  async function restart(reason: string): Promise<void> {
    say(`${name} ${reason}; restarting it in ${delayMs / 1000} s`);
    try {
      await delay(delayMs, undefined, { signal });
    } catch {
      return; // npm start is ending
    }
    delayMs = Math.min(delayMs * 2, MAX_DELAY_MS);
    try {
      await target.restart();
    } catch (error) {
      if (!signal.aborted) await restart(`did not start: ${(error as Error).message}`);
      return;
    }
    if (signal.aborted) return;
    say(`${name} was restarted (process ${target.process.pid})`);
    watch();
  }
}
