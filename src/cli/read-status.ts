import { pino } from 'pino';
import { type QueueJobs, QUEUES } from '@appointment-emissions/contracts';
import { composeWarnings } from '../api/compose-warnings.ts';
import type { FleetState } from '../api/fleet-warnings.ts';
import { type Environment, loadEmbeddedConfig, loadWorkerConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import { checkMongo, checkRedis } from '../http/routes/health-checks.ts';
import { mergeStates } from '../metrics/queue-state.ts';
import { loadModel } from '../model/load-model.ts';
import { connectMongo } from '../population/connect.ts';
import { connectedOrLate, openResources } from '../resources/open-resources.ts';

/** States of the fleet, with the exit code of `emissions status`. Code 2 means a wrong command line. */
export const STATES = {
  well: { code: 0, headline: 'all is well' },
  down: { code: 1, headline: 'down: emissions cannot be accepted' },
  warnings: { code: 3, headline: 'works, with warnings' },
} as const;

/**
 * Reads the state of the fleet from its servers, as an API process does. It needs no API.
 * @returns also several lines of text for a terminal
 * @throws ConfigError, ModelError
 */
export async function readStatus(env: Environment): Promise<{ state: keyof typeof STATES; text: string }> {
  const { MONGODB_URI, EMISSIONS_MODEL } = loadWorkerConfig(env);
  const resources = openResources({
    config: loadEmbeddedConfig(env),
    model: await loadModel(EMISSIONS_MODEL),
    role: 'api',
    registersShards: false,
    connect: (options) => connectMongo(MONGODB_URI, options),
    logger: pino({ level: 'silent' }),
    tracing: undefined,
  });
  const { redis, mongo, shards, metrics, lifecycle } = resources;
  try {
    const redisHealth = checkRedis(redis, () => shards.all().map(({ live }) => live.toKey('meta')));
    const { all: readWarnings } = composeWarnings(resources);
    await connectedOrLate(resources);
    const health = { MongoDB: await checkMongo(mongo.connection)(), Redis: await redisHealth() };
    const servers = Object.entries(health).map(([name, { ok, detail = '' }]) =>
      row(name, [ok ? 'ok' : 'down', detail].filter(Boolean).join(': ')),
    );
    const damage = await shards.update().then(
      () => [],
      (error: unknown) => (error instanceof AppError ? [error.message] : []),
    );
    const fleet = await metrics.state().then(describeFleet, () => []);
    const warnings = [...damage, ...(await readWarnings())].map((words) => `! ${words}`);
    const isDown = Object.values(health).some(({ ok }) => !ok);
    const state = isDown ? 'down' : warnings.length > 0 ? 'warnings' : 'well';
    return { state, text: [STATES[state].headline, ...servers, ...fleet, ...warnings].join('\n') };
  } finally {
    await lifecycle.close();
  }
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
const row = (name: string, words: string): string => `${name.padEnd(11)} ${words}`;

function describeFleet({ depth, states, fleet: { processes, sockets } }: FleetState): string[] {
  const { api, worker } = processes;
  const merged = mergeStates(states);
  return [
    row('processes', `${api.length} API, ${count(worker.length, 'worker')}, ${count(sockets, 'dashboard')}`),
    ...QUEUES.map((name) => {
      const ageMs = name === 'live' ? depth.oldestLiveWaitingAgeMs : depth.oldestBulkWaitingAgeMs;
      return row(`${name} queue`, describeQueue(depth.byQueue[name], merged[name].paused, ageMs));
    }),
  ];
}

function describeQueue(jobs: QueueJobs, isPaused: boolean, oldestAgeMs: number | null): string {
  const age = oldestAgeMs === null ? '' : `, the oldest for ${Math.round(oldestAgeMs / 1_000)} s`;
  const waiting = `${isPaused ? 'PAUSED, ' : ''}${jobs.waiting} waiting${age}`;
  return `${waiting}, ${jobs.active} active, ${jobs.delayed} delayed, ${jobs.failed} failed`;
}
