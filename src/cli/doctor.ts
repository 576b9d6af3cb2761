import type { Environment, WorkerConfig } from '../config.ts';
import { errorMessage } from '../errors.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import { loadModel } from '../model/load-model.ts';
import { ModelError } from '../model/parse-model.ts';
import { readMongoTime, readRedisTime } from '../redis/shared-clock.ts';
import { checkMongo } from './check-mongo.ts';
import { checkRedis } from './check-redis.ts';
import { checkNode, checkSettings } from './check-settings.ts';
import { connectServers, type Servers } from './connect-servers.ts';
import { failure, type Finding, ok } from './findings.ts';

export { formatFindings } from './findings.ts';

/** As in the warnings of `/health`. */
const MAX_SKEW_MS = 3_000;

/**
 * Checks the settings of a process, its model description, both servers and the clocks. It changes nothing.
 * @param role  the process whose settings these are
 */
export async function examine(env: Environment, role: 'api' | 'worker'): Promise<Finding[]> {
  const findings = [checkNode(process.versions.node)];
  const { findings: ofSettings, config } = checkSettings(env, role);
  findings.push(...ofSettings);
  if (!config) {
    findings.push(failure('Redis and MongoDB were not checked', 'correct the settings first'));
    return findings;
  }
  const model = await loadOrReport(config, findings);
  const servers = connectServers(config);
  try {
    const [redis, mongo] = await Promise.all([
      reach(servers.redisReady, () => checkRedis(servers.redis, config, role)),
      reach(servers.mongoReady, async () =>
        model ? checkMongo(servers.mongo.connection, model, config) : [],
      ),
    ]);
    return [...findings, ...redis, ...mongo, ...(await checkClocks(servers, config))];
  } finally {
    await servers.close();
  }
}

async function loadOrReport(
  config: WorkerConfig,
  findings: Finding[],
): Promise<AppointmentModel | undefined> {
  try {
    return await loadModel(config.EMISSIONS_MODEL);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const problems = error.problems.map((problem) =>
      failure(`EMISSIONS_MODEL: ${problem}`, 'correct the description: docs/guides/model.md'),
    );
    findings.push(...problems);
    return undefined;
  }
}

/** Runs the checks of a server if it can be reached. */
async function reach(ready: () => Promise<void>, check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    await ready();
  } catch (error) {
    return [failure(errorMessage(error), 'start the server, or correct its address and login')];
  }
  return check();
}

/** Compares this machine's clock with those of the servers that answer. */
async function checkClocks({ redis, mongo }: Servers, { QUEUE_PREFIX }: WorkerConfig): Promise<Finding[]> {
  const skews = await Promise.all([
    measureSkew("Redis'", () => readRedisTime(redis, `${QUEUE_PREFIX}:canary:clock`)),
    measureSkew("MongoDB's", () => readMongoTime(mongo.connection)),
  ]);
  const wrong = skews.flatMap(({ of, skewMs }) =>
    skewMs === undefined || Math.abs(skewMs) <= MAX_SKEW_MS
      ? []
      : failure(
          `this machine's clock is ${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs > 0 ? 'ahead' : 'behind'} of ${of}`,
          'synchronise both machines, for example with chrony',
        ),
  );
  const measured = skews.filter(({ skewMs }) => skewMs !== undefined).map(({ of }) => of);
  if (wrong.length > 0 || measured.length === 0) return wrong;
  return [ok(`this machine's clock agrees with ${measured.join(' and ')}`)];
}

async function measureSkew(
  of: string,
  readTime: () => Promise<number>,
): Promise<{ of: string; skewMs: number | undefined }> {
  try {
    const sentAt = performance.now();
    const time = await readTime();
    const skewMs = Date.now() - (performance.now() - sentAt) / 2 - time;
    return { of, skewMs: Number.isFinite(skewMs) ? skewMs : undefined };
  } catch {
    return { of, skewMs: undefined };
  }
}
