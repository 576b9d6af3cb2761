import { join, relative } from 'node:path';
import { ensureInstalled } from '../install.mjs';
import { PROJECT_DIR } from '../paths.mjs';
import { freePort } from '../process/free-port.mjs';
import { startApp } from './app.mjs';
import { claimInstance } from './instance.mjs';
import { keepRunning } from './keep-running.mjs';
import { provideSecrets } from './secrets.mjs';
import { provideServices } from './provide-services.mjs';
import { seed } from './seed.mjs';
import { loadDotEnv, makeRuntimeDir, portOf, timeZoneOfMachine } from './settings.mjs';
import { summary } from './summary.mjs';
import { waitUntilReady } from './wait-ready.mjs';

/**
 * @typedef {object} Start
 * @property {AbortSignal} signal
 * @property {(line: string) => void} say
 * @property {(() => unknown)[]} started  is given a function for each thing that has to be ended
 * @property {string} runtimeDir  for data, secrets, logs and pids
 * @property {string} envFile
 */

/**
 * From a bare checkout to a running dashboard, in order, telling what it does.
 * @param {Start} start
 */
export async function startEverything(start) {
  const { signal, say, started, runtimeDir, envFile } = start;
  loadDotEnv(envFile);
  const port = portOf(process.env);
  makeRuntimeDir(runtimeDir);
  const instance = await claimInstance({ runtimeDir, port, log: say });
  started.push(instance.release);

  await ensureInstalled({ log: (line) => say(`Packages: ${line}`) });
  signal.throwIfAborted();
  const secretsFile = join(runtimeDir, 'secrets.json');
  const secrets = provideSecrets(process.env, secretsFile);
  tellSecrets(secrets, secretsFile, say);
  const { redisUrl, mongodbUri, services, isOurDatabase } = await provideServices(start);
  signal.throwIfAborted();
  const timeZone = process.env.DASHBOARD_TIME_ZONE || timeZoneOfMachine();
  const demo = isOurDatabase ? await seedDemo(mongodbUri, timeZone, say) : undefined;
  signal.throwIfAborted();
  say('Page: building');
  const { buildPage } = await import('../build-page.mjs');
  await buildPage();

  const hasBot = secrets.isDemo && isOurDatabase;
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
  say(`Starting the API with its gateway, ${hasBot ? "one worker and the demo's bot" : 'and one worker'}`);
  const entries = {
    api: secrets.isDemo ? 'demo/api.ts' : 'src/api/main.ts',
    worker: 'workers/main.ts',
    ...(hasBot && { bot: 'demo/bot-process.ts' }),
  };
  const apps = Object.entries(entries).map(([name, entry]) =>
    startApp({ name, entry, env, runtimeDir, onComplaint: (line) => say(`${name} | ${line}`) }),
  );
  // At the same time: each finishes its own work, and none needs another for it.
  started.push(() => Promise.all(apps.map(({ stop }) => stop())));
  await waitUntilReady({ url: `http://localhost:${port}/readyz`, apps, signal, say });
  for (const target of [...services, ...apps]) keepRunning(target, { say, signal });
  say(summary({ port, secrets, env, appointmentId: demo?.appointmentId }));
}

/** @param {string} mongodbUri @param {string} timeZone @param {(line: string) => void} say */
async function seedDemo(mongodbUri, timeZone, say) {
  say('Demo company: seeding (what is there already stays)');
  return seed(mongodbUri, timeZone);
}

/** @param {import('./secrets.mjs').Secrets} secrets @param {string} file @param {(line: string) => void} say */
function tellSecrets({ madeUp, isDemo }, file, say) {
  const where = relative(PROJECT_DIR, file);
  if (madeUp.length > 0) say(`Secrets: not given, so made up and kept in ${where}: ${madeUp.join(', ')}`);
  if (!isDemo) say('Secrets: some are given, so the demo (page without a login, chat panel) is off');
}
