import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIR, RUNTIME_DIR } from '../paths.mjs';
import { freePort } from '../process/free-port.mjs';

const GIVEN = [
  'REDIS_URL',
  'MONGODB_URI',
  'INTERNAL_SERVICE_API_KEY',
  'SOCKET_JWT_SECRET',
  'SOCKET_JWKS_URL',
];
const STOP_WITHIN_MS = 20_000;

/**
 * Runs `npm start` as a user would, with services, data and secrets of its own, and reads what it prints.
 * @param {{ log: (line: string) => void, env?: NodeJS.ProcessEnv }} options
 */
export async function startDemo({ log, env: more = {} }) {
  const dir = join(RUNTIME_DIR, `show-${process.pid}`);
  const port = await freePort();
  const env = { ...process.env, ...more, PORT: String(port), START_DIR: dir };
  // Empty: not given. Leaving them out would let a .env file set them.
  for (const name of [...GIVEN, 'ADMIN_PASSWORD']) env[name] = '';
  const child = spawn(process.execPath, [join(PROJECT_DIR, 'scripts', 'start.mjs')], {
    cwd: PROJECT_DIR,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGTERM'));
  const facts = await new Promise((resolve, reject) => {
    let said = '';
    child.once('exit', () => reject(new Error(`npm start ended before everything ran:\n${said}`)));
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
      said += chunk;
      const key = /x-api-key: (\w+)/.exec(said)?.[1];
      const appointmentId = /"appointmentId":"(\w{24})"/.exec(said)?.[1];
      if (key && appointmentId) resolve({ key, appointmentId });
    });
  });
  log(`npm start runs on port ${port}`);
  return {
    base: `http://localhost:${port}`,
    .../** @type {{ key: string, appointmentId: string }} */ (facts),
    async stop() {
      child.removeAllListeners('exit');
      const exited = once(child, 'exit');
      child.kill('SIGINT');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await exited;
      clearTimeout(late);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
