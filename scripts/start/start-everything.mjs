import { join } from 'node:path';
import { ensureInstalled } from '../install.mjs';
import { startMongo } from '../services/mongo.mjs';
import { startRedis } from '../services/redis.mjs';
import { startApp } from './app.mjs';
import { checkMongo } from './check-mongo.mjs';
import { checkRedis } from './check-redis.mjs';
import { claimInstance } from './instance.mjs';
import { keepRunning } from './keep-running.mjs';
import { provideSecrets } from './secrets.mjs';
import { seed } from './seed.mjs';
import { loadDotEnv, portOf } from './settings.mjs';
import { summary } from './summary.mjs';
import { waitUntilReady } from './wait-ready.mjs';

const DATABASE = 'petbuddy';

/**
 * @typedef {object} Start
 * @property {AbortSignal} signal
 * @property {(line: string) => void} say
 * @property {(() => unknown)[]} started  is given a function for each thing that has to be ended
 * @property {string} runtimeDir
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
  const instance = await claimInstance({ runtimeDir, port, log: say });
  started.push(instance.release);

  await ensureInstalled({ log: say });
  signal.throwIfAborted();
  const secrets = provideSecrets(process.env, join(runtimeDir, 'secrets.json'));
  tellSecrets(secrets, say);
  const { env, services, isOurDatabase } = await provideServices(start);
  signal.throwIfAborted();

  say('building the dashboard page');
  const { buildPage } = await import('../build-page.mjs');
  await buildPage();
  Object.assign(env, secrets.env, {
    PORT: String(port),
    DEMO_MODE: secrets.isDemo ? 'on' : 'off',
    DASHBOARD_TIME_ZONE: process.env.DASHBOARD_TIME_ZONE || Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  if (isOurDatabase) say('seeding the demo company (what is there already stays)');
  const demo = isOurDatabase
    ? await seed(env.MONGODB_URI ?? '', env.DASHBOARD_TIME_ZONE ?? 'UTC')
    : undefined;
  signal.throwIfAborted();

  say('starting the API with its gateway, and one worker');
  const app = (/** @type {string} */ name, /** @type {string} */ entry) =>
    startApp({ name, entry, env, runtimeDir, onComplaint: (line) => say(`${name} | ${line}`) });
  const apps = [app('api', 'src/api.ts'), app('worker', 'workers/main.ts')];
  // At the same time: each finishes its own work, and neither needs the other for it.
  started.push(() => Promise.all(apps.map(({ stop }) => stop())));
  await waitUntilReady({ url: `http://localhost:${port}/readyz`, apps, signal, say });
  for (const target of [...services, ...apps]) keepRunning(target, { say, signal });
  say(summary({ port, secrets, env, appointmentId: demo?.appointmentId }));
}

/** @param {Start} start */
async function provideServices({ say, started, runtimeDir }) {
  const { REDIS_URL, MONGODB_URI } = process.env;
  if (REDIS_URL) await checkRedis(REDIS_URL);
  if (MONGODB_URI) await checkMongo(MONGODB_URI);
  const services = [];
  const dir = (/** @type {string} */ name) => join(runtimeDir, 'data', name);
  const env = { ...process.env };
  for (const [variable, start, name] of /** @type {const} */ ([
    ['REDIS_URL', startRedis, 'redis'],
    ['MONGODB_URI', startMongo, 'mongodb'],
  ])) {
    if (env[variable]) {
      say(`using the ${name} that ${variable} names`);
      continue;
    }
    const service = await start({ dir: dir(name), log: say });
    started.push(service.stop);
    services.push(service);
    env[variable] = variable === 'MONGODB_URI' ? `${service.url}/${DATABASE}` : service.url;
    say(`${name} runs on port ${service.port}`);
  }
  return { env, services, isOurDatabase: !MONGODB_URI };
}

/** @param {import('./secrets.mjs').Secrets} secrets @param {(line: string) => void} say */
function tellSecrets({ madeUp, isDemo }, say) {
  if (madeUp.length > 0) {
    say(`made up for this checkout, kept in .runtime/secrets.json: ${madeUp.join(', ')}`);
  }
  if (!isDemo)
    say('secrets were given: the demo (a token for the page without a login, the chat panel) is off');
}
