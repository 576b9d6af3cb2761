import type { Queue } from 'bullmq';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { luaScript } from '../redis/script.ts';
import { isWrongType } from '../redis/redis-errors.ts';

export interface QuarantineDeps {
  queue: Queue;
  redis: RedisClient;
  reportDamage: ReportDamage;
  /** A job was moved to the failed ones. */
  onFailed: (emissionId: string, name: string) => void;
}

export interface Quarantine {
  /** Checks the active jobs. Calls during a check share the next one. Never rejects. */
  check: () => Promise<void>;
  /** Moves an active job that could not be finished. @throws what Redis throws */
  move: (jobId: string) => Promise<void>;
}

const REASON =
  "JOB_INVALID: the job's record in Redis is damaged, so that no worker can read it; emit its appointment again";
/** More than a fleet processes at once. */
const MAX_ACTIVE = 10_000;
const COUNT = /^\d{1,9}$/;

const quarantineScript = luaScript(new URL('./quarantine-job.lua', import.meta.url));

/**
 * Finds jobs whose record in Redis another program has damaged. BullMQ throws when it fetches such a job, and again each
 * time the job has stalled, so that the job never fails. The quarantine makes it a failed job that an operator sees.
 */
export function createQuarantine({ queue, redis, reportDamage, onFailed }: QuarantineDeps): Quarantine {
  const key = (name: string): string => queue.toKey(name);
  let checking: Promise<void> | undefined;
  let isWanted = false;

  /** `undefined` if another program wrote a key of another type. */
  async function read(jobId: string): Promise<Record<string, string> | undefined> {
    try {
      return await redis.hgetall(key(jobId));
    } catch (error) {
      if (isWrongType(error)) return undefined;
      throw error;
    }
  }

  async function fail(jobId: string, fields: Record<string, string>): Promise<void> {
    const now = String(Date.now());
    const { name = '', data = '', opts = '', timestamp = '' } = fields;
    const kept = {
      name,
      data: isJsonObject(data) ? data : '{}',
      opts: isJobOptions(opts) ? opts : '{}',
      timestamp: /^\d{1,15}$/.test(timestamp) ? timestamp : now,
      ...{ delay: '0', priority: '0', atm: '1', finishedOn: now, failedReason: REASON, stacktrace: '[]' },
    };
    const keys = [key('active'), key('failed'), key('stalled'), key(jobId), `${key(jobId)}:lock`];
    const moved = await quarantineScript(redis, keys, [jobId, now, ...Object.entries(kept).flat()]);
    if (moved !== 1) return;
    reportDamage('job', { key: key(jobId) });
    onFailed(jobId, name);
  }

  async function checkOnce(): Promise<void> {
    for (const jobId of await redis.lrange(key('active'), 0, MAX_ACTIVE)) {
      // A job that is gone is not damaged: BullMQ returns an empty one, which the worker fails.
      const fields = await read(jobId);
      if (!fields) await fail(jobId, {});
      else if (Object.keys(fields).length > 0 && !isReadable(fields)) await fail(jobId, fields);
    }
  }

  return {
    check() {
      isWanted = true;
      checking ??= (async () => {
        while (isWanted) {
          isWanted = false;
          // If Redis is unavailable, the worker's next error starts another check.
          await checkOnce().catch(() => undefined);
        }
        checking = undefined;
      })();
      return checking;
    },
    move: async (jobId) => fail(jobId, (await read(jobId)) ?? {}),
  };
}

/** Whether BullMQ can fetch the job: what it parses, and the counts that its scripts increase. */
function isReadable(fields: Record<string, string>): boolean {
  const { data, opts, progress, parent, parentKey, rjk, ats, stc } = fields;
  const isParsed =
    [data, progress].every((text = '') => text === '' || isJson(text)) &&
    (opts === undefined || isJobOptions(opts));
  // No job of ours has a parent or is repeated.
  const isOurs = parent === undefined && parentKey === undefined && rjk === undefined;
  return isParsed && isOurs && [ats, stc].every((count) => count === undefined || COUNT.test(count));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** BullMQ compares `attempts` when an attempt fails. If that throws, the job stays active, stalls and fails again without end. */
function isJobOptions(text: string): boolean {
  if (!isJsonObject(text)) return false;
  const { attempts } = JSON.parse(text) as { attempts?: unknown };
  return typeof attempts !== 'object' || attempts === null;
}

function isJsonObject(text: string): boolean {
  return isJson(text) && /^\s*\{/.test(text);
}
