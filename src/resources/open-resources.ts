import { randomUUID } from 'node:crypto';
import { recordCuts } from '../access/bound-connections.ts';
import { ConfigError, type SharedConfig } from '../config.ts';
import { type CompanyKeys, createCompanyKeys } from '../emission/keys.ts';
import { createPublishedKeys, type PublishedKeys } from '../emission/published-keys.ts';
import { createFleetMetrics, type FleetMetrics } from '../metrics/fleet-metrics.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import type { MongoHandle, MongoOptions } from '../population/connect.ts';
import { createModels, type Models } from '../population/models.ts';
import { createReportDamage, type ReportDamage } from '../process/damaged-data.ts';
import { closeIfThrows, createLifecycle, type Lifecycle, within } from '../process/lifecycle.ts';
import type { Logger } from '../process/logger.ts';
import { openShards, type Shards } from '../queue/shards.ts';
import { connectRedis, type RedisClient, whenDatabaseMissing, whenReady } from '../redis/connect.ts';
import { composeClock, type SharedClock } from '../redis/shared-clock.ts';
import { watchConnections } from '../redis/watch-connections.ts';
import type { ServerTracing } from '../tracing/load-tracing.ts';

/** The two kinds of process differ in their second Redis connection, and in how long a read waits for MongoDB. */
const ROLES = {
  api: { connection: 'subscriber', use: 'subscription', serverSelectionMs: 700 },
  worker: { connection: 'queue', use: 'queue', serverSelectionMs: 2_000 },
} as const;

const CONNECT_WAIT_MS = 1_500;
const FLUSH_SPANS_MS = 1_000;

export interface ResourcesOptions<Config extends SharedConfig> {
  config: Config;
  model: AppointmentModel;
  role: keyof typeof ROLES;
  /** Opens the connection to MongoDB, or adopts the application's. */
  connect: (options: MongoOptions) => MongoHandle;
  logger: Logger;
  /** False: a command that only reads. See {@link openShards}. */
  registersShards?: boolean | undefined;
  /** Problems of this process' log, as text for the operator. */
  logWarnings?: (() => string[]) | undefined;
  /** Of this process, see `loadTracing`. Undefined without an OpenTelemetry SDK. */
  tracing: ServerTracing | undefined;
}

interface Connections {
  /** For requests: a command fails if Redis does not answer within a second. */
  redis: RedisClient;
  /** The API's subscription, or the connection on which BullMQ's workers wait for jobs. It waits for Redis without limit. */
  dedicatedRedis: RedisClient;
  mongo: MongoHandle;
  /** Logs the outages of all connections, and reports whether MongoDB is down. */
  outages: ReturnType<typeof watchConnections>;
  /** Resolves if Redis has no database of the number in `REDIS_URL`: the process must end. */
  unusable: Promise<ConfigError>;
}

/** Everything that an API process and a worker process both need. One `lifecycle` closes it, and what is opened later. */
export interface Resources<Config extends SharedConfig = SharedConfig> extends Connections {
  /** Of this process, in heartbeats and locks. Random. */
  id: string;
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
  /** The queues. */
  shards: Shards;
  models: Models;
  /** Names of the keys of each company. */
  companyKeys: CompanyKeys;
  /** Names of the keys of the index of published appointments. */
  publishedKeys: PublishedKeys;
  metrics: FleetMetrics;
  reportDamage: ReportDamage;
  /** Counts and logs connections that this process cuts. */
  recordCut: ReturnType<typeof recordCuts>;
  /** The clock that all processes share. */
  clock: SharedClock;
  /** Problems of this process itself. It reports them in its heartbeat; the API in `/health` too. */
  warnings: OwnWarnings;
  /** Undefined without an OpenTelemetry SDK. */
  tracing: ServerTracing | undefined;
}

/**
 * Opens connections, queues, metrics and clock, in this order. Returns at once: servers that are unavailable are tried
 * again until they answer. If a part throws, the others are closed.
 */
export function openResources<Config extends SharedConfig>(
  options: ResourcesOptions<Config>,
): Resources<Config> {
  const { config, logger } = options;
  const lifecycle = createLifecycle({
    deadlineMs: config.SHUTDOWN_DEADLINE_MS,
    onError: (what, error) => {
      logger.error({ what, error: error.message }, 'not closed cleanly');
    },
  });
  return closeIfThrows(lifecycle, () => openParts(options, lifecycle));
}

function openParts<Config extends SharedConfig>(
  {
    config,
    model,
    role,
    connect,
    logger,
    registersShards,
    logWarnings = () => [],
    tracing,
  }: ResourcesOptions<Config>,
  lifecycle: Lifecycle,
): Resources<Config> {
  if (tracing) lifecycle.onClose('tracing', () => within(FLUSH_SPANS_MS, 'sending spans', tracing.flush()));
  const connections = openConnections(config.REDIS_URL, ROLES[role], { connect, logger, lifecycle });
  const { redis, mongo } = connections;
  const { shards, metrics, reportDamage } = openQueues(connections, {
    ...{ config, lifecycle, logger, tracing },
    registersShards,
  });
  const clock = composeClock({
    redis,
    key: shards.first.live.toKey('meta'),
    mongo,
    metrics,
    lifecycle,
    logger,
  });
  const warnings = createOwnWarnings();
  warnings.add(clock.warnings);
  warnings.add(logWarnings);
  return {
    id: randomUUID(),
    config,
    logger,
    lifecycle,
    ...connections,
    shards,
    models: createModels(mongo.connection, model),
    companyKeys: createCompanyKeys(config.QUEUE_PREFIX),
    publishedKeys: createPublishedKeys(config.QUEUE_PREFIX),
    metrics,
    reportDamage,
    recordCut: recordCuts(metrics.cut, logger),
    clock,
    warnings,
    tracing,
  };
}

/** Opens the queues, and the metrics, which read them. */
function openQueues(
  { redis, outages }: Connections,
  {
    config,
    lifecycle,
    logger,
    tracing,
    registersShards: registers,
  }: Pick<Resources, 'config' | 'lifecycle' | 'logger' | 'tracing'> &
    Pick<ResourcesOptions<SharedConfig>, 'registersShards'>,
): Pick<Resources, 'shards' | 'metrics' | 'reportDamage'> {
  const common = {
    redis,
    prefix: config.QUEUE_PREFIX,
    reportDamage: ((kind, details) => {
      reportDamage(kind, details);
    }) satisfies ReportDamage,
  };
  const onError = outages.queue('queue error');
  const { telemetry } = tracing ?? {};
  const shards = openShards({ ...common, shards: config.QUEUE_SHARDS, registers, onError, telemetry });
  lifecycle.onClose('queues', shards.close);
  const metrics = createFleetMetrics({
    ...common,
    shards: shards.all,
    onError: outages.queue('counts not kept'),
  });
  lifecycle.onClose('metrics', metrics.close);
  const reportDamage = createReportDamage({ count: metrics.damage, logger });
  return { shards, metrics, reportDamage };
}

/**
 * Resolves when both servers are connected, so that the first requests do not fail, or after 1.5 s.
 * @throws ConfigError if Redis has no database of the number in `REDIS_URL`
 */
export async function connectedOrLate({ mongo, redis, unusable }: Resources): Promise<void> {
  const connected = Promise.all([mongo.connected, whenReady(redis)]);
  const waited = within(CONNECT_WAIT_MS, 'MongoDB and Redis', connected).catch(() => undefined);
  const found = await Promise.race([unusable, waited]);
  if (found instanceof ConfigError) throw found;
}

function openConnections(
  redisUrl: string,
  { connection, use, serverSelectionMs }: (typeof ROLES)[keyof typeof ROLES],
  {
    connect,
    logger,
    lifecycle,
  }: Pick<Resources, 'logger' | 'lifecycle'> & Pick<ResourcesOptions<SharedConfig>, 'connect'>,
): Connections {
  const outages = watchConnections(logger, lifecycle);
  const open = (role: 'request' | 'subscriber' | 'queue', part: string): RedisClient => {
    const client = connectRedis(redisUrl, role);
    outages.redis(part, client);
    lifecycle.onClose(`redis: ${part}`, () => {
      client.disconnect();
    });
    return client;
  };
  const redis = open('request', 'requests');
  const unusable = whenDatabaseMissing(redis).then((problem) => new ConfigError([problem]));
  const dedicatedRedis = open(connection, use);
  const mongo = connect({ serverSelectionMs, ...outages.mongo });
  lifecycle.onClose('mongodb', mongo.close);
  outages.ready();
  return { redis, dedicatedRedis, mongo, outages, unusable };
}

/** A list of warnings that each part of the process can add to. `read` returns the current warnings. */
export interface OwnWarnings {
  /** @param read  called at each heartbeat; must return at once */
  add: (read: () => readonly (string | undefined)[]) => void;
  read: () => string[];
}

function createOwnWarnings(): OwnWarnings {
  const sources: (() => readonly (string | undefined)[])[] = [];
  return {
    add: (read) => void sources.push(read),
    read: () => sources.flatMap((read) => read().filter((warning) => warning !== undefined)),
  };
}
