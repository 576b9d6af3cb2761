import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildPage } from '../build-page.ts';
import { PROJECT_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { freePort } from '../process/free-port.ts';
import { SOURCE_ARGS } from '../source-args.mjs';
import { type App, startApp } from './app.ts';
import { claimInstance } from './instance.ts';
import { keepRunning } from './keep-running.ts';
import { provideServices } from './provide-services.ts';
import { provideSecrets, type Secrets } from './secrets.ts';
import { makeRuntimeDir, readPort, timeZoneOfMachine } from './settings.ts';
import { summary } from './summary.ts';
import { waitUntilReady } from './wait-ready.ts';

export interface StartOptions {
  /** Ends the start between two steps. */
  signal: AbortSignal;
  say: (line: string) => void;
  /** Receives a function for each process that has to be ended. */
  started: (() => unknown)[];
  /** For data, secrets, logs and records of processes. */
  runtimeDir: string;
  /** Settings for variables that the environment does not set; need not exist. */
  envFile: string;
}

/** Starts everything, in order, and prints what it does: from an installed checkout to a running dashboard. */
export async function startEverything(start: StartOptions): Promise<void> {
  const { signal, say, started, runtimeDir, envFile } = start;
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  const port = readPort(process.env);
  makeRuntimeDir(runtimeDir);
  const instance = await claimInstance({ runtimeDir, port, log: say });
  started.push(instance.release);

  const secretsFile = join(runtimeDir, 'secrets.json');
  const secrets = provideSecrets(process.env, secretsFile);
  reportSecrets(secrets, secretsFile, say);
  const { redisUrl, mongodbUri, own, isOwnDatabase } = await provideServices(start);
  signal.throwIfAborted();
  const timeZone = process.env.DASHBOARD_TIME_ZONE || timeZoneOfMachine();
  const demo = isOwnDatabase ? await seedDemo(mongodbUri, timeZone, say) : undefined;
  signal.throwIfAborted();
  say('Pages: building');
  await buildPage();

  const hasBot = secrets.isDemo && isOwnDatabase;
  const env = {
    ...process.env,
    ...secrets.env,
    PORT: String(port),
    REDIS_URL: redisUrl,
    MONGODB_URI: mongodbUri,
    DASHBOARD_TIME_ZONE: timeZone,
    ...(hasBot && {
      DEMO_BOT_URL: `http://127.0.0.1:${await freePort()}`,
      BACKEND_API_URL: `http://localhost:${port}`,
    }),
  };
  const apps = startApps(start, env, { isDemo: secrets.isDemo, hasBot });
  await waitUntilReady({ url: `http://localhost:${port}/readyz`, apps, signal, say });
  for (const target of [...own, ...apps]) keepRunning(target, { say, signal });
  say(summary({ port, secrets, env, appointmentId: demo?.appointmentId }));
}

function startApps(
  { say, started, runtimeDir }: StartOptions,
  env: NodeJS.ProcessEnv,
  { isDemo, hasBot }: { isDemo: boolean; hasBot: boolean },
): App[] {
  say(
    `Processes: starting the API with its gateway, ${hasBot ? "a worker and the demo's bot" : 'and a worker'}`,
  );
  const entries = {
    api: isDemo ? 'demo/api.ts' : 'src/api/main.ts',
    worker: 'workers/main.ts',
    ...(hasBot && { bot: 'demo/bot-process.ts' }),
  };
  const apps = Object.entries(entries).map(([name, entry]) =>
    startApp({
      name,
      entry,
      env,
      runtimeDir,
      onErrorLine: (line) => {
        say(`${name} | ${line}`);
      },
    }),
  );
  // At the same time: each finishes its own work, and needs no other for it.
  started.push(() => Promise.all(apps.map(({ stop }) => stop())));
  return apps;
}

/** Writes the demo company's data into a database that was started here. Existing data is kept. */
async function seedDemo(
  mongodbUri: string,
  timeZone: string,
  say: (line: string) => void,
): Promise<{ appointmentId: string }> {
  say('Demo company: writing its data (existing data is kept)');
  const args = [...SOURCE_ARGS, 'demo/seed.ts', mongodbUri, timeZone];
  const seeding = await command(process.execPath, args, { cwd: PROJECT_DIR });
  if (seeding.failed) throw new Error(`the demo data could not be written:\n${excerptOf(seeding)}`);
  return JSON.parse(seeding.stdout.split('\n').at(-1) ?? '') as { appointmentId: string };
}

function reportSecrets({ generated, isDemo }: Secrets, file: string, say: (line: string) => void): void {
  if (generated.length > 0)
    say(`Secrets: generated ${generated.join(', ')}; kept in ${relative(PROJECT_DIR, file)}`);
  if (!isDemo) say('Secrets: some are set, so the demo (page without login, chat panel) is off');
}
