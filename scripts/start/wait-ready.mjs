import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StartFailure } from './start-failure.mjs';

const READY_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 100;
const TELL_EVERY_MS = 5_000;
const LAST_LINES = 15;

/**
 * Waits until the API says that it is ready.
 * @param {{ url: string, apps: import('./app.mjs').App[], signal: AbortSignal, say: (line: string) => void }} options
 * @throws {StartFailure} when one of the processes ends, or it takes too long
 */
export async function waitUntilReady({ url, apps, signal, say }) {
  const startedAt = performance.now();
  let toldAt = startedAt;
  let answer = 'no answer yet';
  for (;;) {
    signal.throwIfAborted();
    for (const app of apps) assertRuns(app);
    try {
      const reply = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      if (reply.ok) return;
      answer = `${reply.status} ${await reply.text()}`;
    } catch {
      // Not listening yet.
    }
    const now = performance.now();
    if (now - startedAt > READY_WITHIN_MS) {
      throw new StartFailure(
        `The API is not ready after ${READY_WITHIN_MS / 1000} s; ${url} says: ${answer}`,
      );
    }
    if (now - toldAt > TELL_EVERY_MS) say(`  waiting for the API: ${answer}`);
    if (now - toldAt > TELL_EVERY_MS) toldAt = now;
    await delay(ASK_EVERY_MS);
  }
}

/** @param {import('./app.mjs').App} app */
function assertRuns({ name, process: child, logFile }) {
  if (child.exitCode === null && child.signalCode === null) return;
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LAST_LINES);
  const how = child.signalCode ?? `code ${child.exitCode}`;
  throw new StartFailure(
    `${name} ended while starting (${how}). The reason is above, or here:\n${lines.join('\n')}`,
  );
}
