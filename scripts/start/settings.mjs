import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { StartFailure } from './start-failure.mjs';

const DEFAULT_PORT = 3001;

/**
 * Reads `.env` where there is one; what the environment says already stays.
 * @param {string} file
 */
export function loadDotEnv(file) {
  if (existsSync(file)) process.loadEnvFile(file);
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {number}
 */
export function portOf(env) {
  const text = env.PORT || String(DEFAULT_PORT);
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new StartFailure(`PORT is "${text}": it must be a number from 1 to 65535.`);
}

/** UTC if `TZ` names no time zone that Node knows: Intl gives none, or one that it does not take back. */
export function timeZoneOfMachine() {
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}

/**
 * Makes the folder for data, secrets and logs. Not `recursive: true`: below /proc, Node then tries for ever.
 * @param {string} folder
 */
export function makeRuntimeDir(folder) {
  if (existsSync(folder)) return;
  makeRuntimeDir(dirname(resolve(folder)));
  try {
    mkdirSync(folder);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'EEXIST') return; // another process has made it meanwhile
    throw new StartFailure(
      `The folder for data and logs cannot be made (${message}): set START_DIR to another one.`,
    );
  }
}
