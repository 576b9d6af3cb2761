import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Each secret with the variables that make it unnecessary. */
const SECRETS = /** @type {const} */ ({
  INTERNAL_SERVICE_API_KEY: ['INTERNAL_SERVICE_API_KEY'],
  SOCKET_JWT_SECRET: ['SOCKET_JWT_SECRET', 'SOCKET_JWKS_URL'],
  ADMIN_PASSWORD: ['ADMIN_PASSWORD'],
});

/**
 * @typedef {object} Secrets
 * @property {Record<string, string>} env  what is to be added to the environment
 * @property {string[]} madeUp  the variables that were not given
 * @property {boolean} isDemo  nothing was given: this is a look at the project, not a deployment
 */

/**
 * Takes the secrets that are given; makes up the others and keeps them in a file that only this user can read.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} file
 * @returns {Secrets}
 */
export function provideSecrets(env, file) {
  const missing = Object.entries(SECRETS)
    .filter(([, givenBy]) => !givenBy.some((variable) => env[variable]))
    .map(([variable]) => variable);
  const kept = missing.length > 0 ? keptSecrets(file) : {};
  return {
    env: {
      ...Object.fromEntries(missing.map((variable) => [variable, kept[variable] ?? ''])),
      ADMIN_USER: env.ADMIN_USER || 'admin',
    },
    madeUp: missing,
    isDemo: missing.length === Object.keys(SECRETS).length,
  };
}

/** @returns {Record<string, string>} */
function keptSecrets(/** @type {string} */ file) {
  const kept = read(file);
  const all = Object.fromEntries(
    Object.keys(SECRETS).map((variable) => [variable, kept[variable] ?? newSecret()]),
  );
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600); // whatever the umask, and if the draft was there already
  renameSync(draft, file);
  return all;
}

/** @returns {Record<string, string | undefined>} */
function read(/** @type {string} */ file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

function newSecret() {
  return randomBytes(24).toString('hex');
}
