import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DEMO_COMPANY, demoId } from '../demo/catalogue.ts';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { RECORD_FILE, readLiveRecord } from './process/record.ts';
import type { Main } from './run.mjs';
import { SOURCE_ARGS } from './source-args.mjs';
import { DATABASE } from './start/provide-services.ts';
import { provideSecrets } from './start/secrets.ts';
import { timeZoneOfMachine } from './start/settings.ts';

const SERVER = 'packages/mcp/src/main.ts';
const CALENDAR = 'demo/mcp-calendar.ts';
const CUSTOMER_ID = demoId('customer/0');

/**
 * Runs the MCP server for a customer of the demo company, beside `npm start`. Standard input and output belong to the MCP client; the
 * arguments are those of the server.
 */
export const main: Main = async ({ signal, args }) => {
  const envFile = join(PROJECT_DIR, '.env');
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  const child = spawn(process.execPath, [...SOURCE_ARGS, SERVER, '--calendar', CALENDAR, ...args], {
    cwd: PROJECT_DIR,
    env: { ...process.env, ...demoSettings(process.env.START_DIR || RUNTIME_DIR) },
    stdio: 'inherit',
  });
  signal.addEventListener('abort', () => child.kill('SIGTERM'));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
};

/** @throws with a message for the user if no `npm start` with a demo company runs */
function demoSettings(runtimeDir: string): Record<string, string> {
  const start = readLiveRecord(join(runtimeDir, 'start.json'));
  if (start === undefined)
    throw new Error('npm start does not run in this checkout. Run it first, in another terminal.');
  const mongo = readLiveRecord(join(runtimeDir, 'data', 'mongodb', RECORD_FILE));
  if (mongo === undefined)
    throw new Error(
      'npm start uses MONGODB_URI, and the demo company is only in its own MongoDB. Remove MONGODB_URI.',
    );
  const secrets = provideSecrets(process.env, join(runtimeDir, 'secrets.json')).env;
  return {
    MONGODB_URI: `mongodb://127.0.0.1:${mongo.port}/${DATABASE}`,
    BACKEND_API_URL: `http://localhost:${start.port}`,
    INTERNAL_SERVICE_API_KEY:
      process.env.INTERNAL_SERVICE_API_KEY || (secrets.INTERNAL_SERVICE_API_KEY ?? ''),
    MCP_COMPANY_ID: DEMO_COMPANY.id,
    MCP_CUSTOMER_ID: CUSTOMER_ID,
    MCP_TIME_ZONE: process.env.DASHBOARD_TIME_ZONE || timeZoneOfMachine(),
  };
}
