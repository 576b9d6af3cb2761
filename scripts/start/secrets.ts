import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Each secret, with the variables that make it unnecessary to generate one. */
const SECRETS = {
  INTERNAL_SERVICE_API_KEY: ['INTERNAL_SERVICE_API_KEY'],
  SOCKET_JWT_SECRET: ['SOCKET_JWT_SECRET', 'SOCKET_JWKS_URL'],
  ADMIN_PASSWORD: ['ADMIN_PASSWORD', 'OPERATORS_FILE'],
};

export interface Secrets {
  /** Additions to the environment. */
  env: Record<string, string>;
  /** The variables whose values were generated. */
  generated: string[];
  /** Whether no secret was set: then this is a demo, not a deployment. */
  isDemo: boolean;
}

/** Uses the secrets that are set; generates the others once and keeps them in a file that only this user can read. */
export function provideSecrets(env: NodeJS.ProcessEnv, file: string): Secrets {
  const missing = Object.entries(SECRETS)
    .filter(([, alternatives]) => !alternatives.some((variable) => env[variable]))
    .map(([variable]) => variable);
  const kept = missing.length > 0 ? keepSecrets(file) : {};
  return {
    env: {
      ...Object.fromEntries(missing.map((variable) => [variable, kept[variable] ?? ''])),
      ...(!env.OPERATORS_FILE && { ADMIN_USER: env.ADMIN_USER || 'admin' }),
    },
    generated: missing,
    isDemo: missing.length === Object.keys(SECRETS).length,
  };
}

/** Reads the file, and adds what it lacks. */
function keepSecrets(file: string): Record<string, string> {
  const kept = readSecrets(file);
  const all = Object.fromEntries(
    Object.keys(SECRETS).map((variable) => [variable, kept[variable] ?? randomBytes(24).toString('hex')]),
  );
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600); // independent of the umask, and of a draft that was there already
  renameSync(draft, file);
  return all;
}

function readSecrets(file: string): Record<string, string | undefined> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}
