import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { bundle } from './build-page.ts';
import { PROJECT_DIR } from './paths.mjs';
import { makeTestRunDir, removeDeadTestRuns, removeTestRunDir } from './process/run-dir.ts';
import type { Main } from './run.mjs';
import { startMongo } from './services/mongo.ts';
import { startRedis } from './services/redis.ts';
import { SOURCE_ARGS } from './source-args.mjs';

const EXAMPLE = join(PROJECT_DIR, 'examples', 'existing-backend');

/** States of the example's application, with the patches that lead to each. */
export const STATES = {
  before: [],
  'side-by-side': ['adoption-1-add.patch'],
  after: ['adoption-1-add.patch', 'adoption-2-switch.patch'],
} as const;
export type ExampleState = keyof typeof STATES;

/** What seed.js of the example prints. */
export interface Seeded {
  companyId: string;
  customerId: string;
  petId: string;
  serviceId: string;
  serviceItemId: string;
  /** Two appointments. */
  first: string;
  second: string;
  staff: { userId: string; fullName: string; role: string; token: string }[];
}

/**
 * Copies the example's application into a new folder below `dir`, and applies the patches of a state. Its packages are
 * those of this checkout, so nothing has to be built or installed.
 * @returns the folder of the application
 */
export async function copyExample(dir: string, state: ExampleState): Promise<string> {
  const app = join(dir, 'app');
  cpSync(EXAMPLE, app, { recursive: true, filter: (path) => !/\.(patch|md)$|node_modules|logs$/.test(path) });
  for (const patch of STATES[state]) {
    await execa('git', ['apply', join(EXAMPLE, patch)], { cwd: app, env: { GIT_CEILING_DIRECTORIES: dir } });
  }
  symlinkSync(join(PROJECT_DIR, 'node_modules'), join(dir, 'node_modules'));
  await addDashboardLibrary(app);
  symlinkSync(PROJECT_DIR, join(app, 'node_modules', 'appointment-emission-pipeline'));
  return app;
}

/** Puts the dashboard library, as one file for browsers, into the packages of a copied example. */
export async function addDashboardLibrary(app: string): Promise<void> {
  const dashboard = join(app, 'node_modules', '@appointment-emissions', 'dashboard');
  mkdirSync(dashboard, { recursive: true });
  const sources = join(PROJECT_DIR, 'packages', 'dashboard');
  cpSync(join(sources, 'package.json'), join(dashboard, 'package.json'));
  await bundle(join(sources, 'src', 'index.ts'), join(dashboard, 'dist', 'browser.js'));
}

/** Runs the seed of a copied example. */
export async function seedExample(app: string, env: NodeJS.ProcessEnv): Promise<Seeded> {
  const { stdout } = await execa(process.execPath, [join(app, 'seed.js')], { env, extendEnv: false });
  return JSON.parse(stdout) as Seeded;
}

/** Arguments of Node that run a program of a copied example. */
export const exampleArgs = (app: string, program: string): string[] => [...SOURCE_ARGS, join(app, program)];

/**
 * Runs the example with its own servers and data, in the state that the argument names: `npm run example -- after`. Prints
 * a link for each member of the staff, and a command for the bot.
 */
export const main: Main = async ({ signal, args: [state = 'after'] }) => {
  if (!isState(state)) throw new Error(`the state must be one of ${Object.keys(STATES).join(', ')}`);
  await removeDeadTestRuns();
  const servers = makeTestRunDir();
  const dir = mkdtempSync(join(tmpdir(), 'example-'));
  const started: (() => unknown)[] = [];
  try {
    const redis = await startRedis({ dir: join(servers, 'redis'), log: console.log });
    started.push(redis.stop);
    const mongo = await startMongo({ dir: join(servers, 'mongodb'), log: console.log });
    started.push(mongo.stop);
    const app = await copyExample(dir, state);
    const settings = {
      PORT: process.env.PORT || '4000',
      MONGODB_URI: `${mongo.url}/salon`,
      REDIS_URL: redis.url,
      JWT_SECRET: 'example-secret-0123456789-0123456789',
      INTERNAL_SERVICE_API_KEY: 'example-key-0123456789-0123456789-01',
      LOG_DIR: join(dir, 'logs'),
    };
    const env = { ...process.env, ...settings };
    console.log(describe(app, settings, await seedExample(app, env)));
    const server = spawn(process.execPath, exampleArgs(app, 'server.js'), {
      cwd: PROJECT_DIR,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const exited = once(server, 'exit');
    started.push(() => server.kill() && exited);
    await Promise.race([once(signal, 'abort'), exited]);
  } finally {
    for (const stop of started.reverse()) await stop();
    rmSync(dir, { recursive: true, force: true });
    await removeTestRunDir(servers);
  }
  return signal.aborted ? 0 : 1;
};

const isState = (name: string): name is ExampleState => Object.hasOwn(STATES, name);

function describe(app: string, settings: Record<string, string>, seeded: Seeded): string {
  const address = `http://localhost:${settings.PORT}`;
  const links = seeded.staff.map(
    ({ fullName, role, token }) => `  ${fullName}, ${role}: ${address}/#${token}`,
  );
  const { companyId, customerId: contactId, petId, serviceId, staff } = seeded;
  const start = new Date(new Date().setHours(24 + 15, 0, 0, 0)).toISOString();
  const call = {
    tool: 'book_appointment',
    args: { start, petId, serviceId, staffId: staff.at(-1)?.userId },
    context: { companyId, contactId },
  };
  const env = { ...settings, BACKEND_API_URL: address };
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return [
    'Open the dashboard as',
    ...links,
    'To let the bot book an appointment:',
    `  echo '${JSON.stringify(call)}' |`,
    `  env ${variables.join(' ')} \\`,
    `  node ${exampleArgs(app, 'bot/bot.js').join(' ')}`,
    `The logs are in ${settings.LOG_DIR ?? ''}. Ctrl-C stops everything that was started here.`,
  ].join('\n');
}
