import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const DEFAULT_PORT = 3001;

/** @throws with a message for the user if PORT is not a port */
export function readPort(env: NodeJS.ProcessEnv): number {
  const text = env.PORT || String(DEFAULT_PORT);
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error(`PORT is "${text}": it must be a number from 1 to 65535.`);
}

/** The machine's time zone; UTC if Node does not support the time zone in `TZ`. */
export function timeZoneOfMachine(): string {
  // Intl returns nothing, or a name that it does not accept itself.
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions() as { timeZone?: string };
  try {
    return new Intl.DateTimeFormat('en', { timeZone: timeZone ?? 'UTC' }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}

/**
 * Makes the folder for data, secrets and logs. Without `recursive: true`, which makes Node loop forever below /proc.
 * @throws with a message for the user
 */
export function makeRuntimeDir(folder: string): void {
  if (existsSync(folder)) return;
  makeRuntimeDir(dirname(resolve(folder)));
  try {
    mkdirSync(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return; // another process has just made it
    throw new Error(
      `The folder for data and logs cannot be created (${message}): set START_DIR to another one.`,
    );
  }
}
