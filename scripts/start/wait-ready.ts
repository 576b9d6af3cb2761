import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded } from '../process/group.ts';
import type { App } from './app.ts';

const READY_WITHIN_MS = 60_000;
const POLL_EVERY_MS = 100;
const REPLY_WITHIN_MS = 2_000;
const PROGRESS_EVERY_MS = 5_000;
const LAST_LINES = 15;

export interface WaitUntilReadyOptions {
  /** The API's /readyz. */
  url: string;
  apps: App[];
  signal: AbortSignal;
  say: (line: string) => void;
}

/**
 * Resolves when the API is ready.
 * @throws with a message for the user if one of the processes ends, or after a minute
 */
export async function waitUntilReady({ url, apps, signal, say }: WaitUntilReadyOptions): Promise<void> {
  const startedAt = performance.now();
  let progressAt = startedAt;
  let reply = 'no reply yet';
  for (;;) {
    signal.throwIfAborted();
    for (const app of apps) assertRuns(app);
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(REPLY_WITHIN_MS) });
      if (response.ok) return;
      reply = `${response.status} ${await response.text()}`;
    } catch {
      // It does not listen yet.
    }
    const now = performance.now();
    if (now - startedAt > READY_WITHIN_MS) {
      throw new Error(
        `The API is not ready after ${READY_WITHIN_MS / 1000} s. The last reply of ${url}: ${reply}`,
      );
    }
    if (now - progressAt > PROGRESS_EVERY_MS) {
      say(`  waiting for the API: ${reply}`);
      progressAt = now;
    }
    await delay(POLL_EVERY_MS);
  }
}

function assertRuns({ name, process: child, logFile }: App): void {
  if (!hasEnded(child)) return;
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LAST_LINES);
  const how = child.signalCode ?? `code ${child.exitCode}`;
  throw new Error(
    `${name} ended while starting (${how}). The reason is above, or in its last lines:\n${lines.join('\n')}`,
  );
}
