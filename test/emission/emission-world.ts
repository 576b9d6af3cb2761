import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import {
  createEmitAppointment,
  type EarlyRead,
  type EmissionAttempt,
} from '../../src/emission/emit-appointment.ts';
import { createEncodeMessage, digestOf } from '../../src/emission/encode.ts';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import { createPublish } from '../../src/emission/publish.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createPackReferences } from '../../src/model/reference-guesses.ts';
import { createReadSnapshots } from '../../src/emission/read-snapshots.ts';
import type { RedisClient } from '../../src/redis/connect.ts';
import { createBulkPacer } from '../../src/process/bulk-pacer.ts';
import { isUnavailable } from '../../src/process/unavailable.ts';

const hexId = (): Id => randomBytes(12).toString('hex');

/**
 * One process' emissions over a real Redis, and a database in memory.
 * @param through  what the scripts run on; by default Redis itself
 */
export function createEmissionWorld(through: (redis: Redis) => RedisClient = (redis) => redis) {
  const redis = new Redis(process.env['TEST_REDIS_URL']!, { replyMapping: 'legacy' });
  const scripts = through(redis);
  const companyId = hexId();
  const keys = createCompanyKeys('{emission-world}');
  const appointments = new Map<Id, AppointmentSnapshot>();
  const loads: (readonly Id[])[] = [];
  const pauses: number[] = [];
  const pause = (ms: number): Promise<void> => {
    pauses.push(ms);
    return Promise.resolve();
  };
  // Each read takes 3 ms of this clock, and nothing else takes time.
  let clockMs = 5_000;
  let beforeAnswer: (ids: readonly Id[]) => Promise<void> | void = () => undefined;

  const readSnapshots = createReadSnapshots({
    redis: scripts,
    keys,
    async load(ids) {
      loads.push(ids);
      clockMs += 3;
      const found = new Map(ids.flatMap((id) => appointments.get(id) ?? []).map((one) => [one._id, one]));
      await beforeAnswer(ids);
      return found;
    },
  });
  const emit = createEmitAppointment({
    readSnapshots,
    encode: createEncodeMessage('test'),
    publish: createPublish(scripts, { keys, logMax: 1_000 }),
    packReferences: createPackReferences(DEFAULT_MODEL),
    digestOf,
    isUnavailable,
    pause,
    pacer: createBulkPacer({ now: () => clockMs, readUtilization: () => 0.6, pause }),
  });

  return {
    redis,
    keys,
    companyId,
    appointments,
    /** Ids of each read, in order. */
    loads,
    pauses,
    readSnapshots,
    /** `act` runs between a read and its result; it may throw. */
    onLoad(act: typeof beforeAnswer) {
      beforeAnswer = act;
    },
    appointment(fields: Partial<AppointmentSnapshot> = {}): Id {
      const _id = hexId();
      appointments.set(_id, {
        _id,
        companyId,
        notes: null,
        status: null,
        updatedAt: null,
        ...fields,
      } as never);
      return _id;
    },
    emit: (
      appointmentId: Id,
      over: Partial<EmissionAttempt> = {},
      early?: Promise<EarlyRead | undefined>,
    ) => {
      const attempt = {
        event: 'appointment:updated' as const,
        appointmentId,
        companyId,
        emissionId: hexId(),
        acceptedAt: new Date().toISOString(),
        attempt: 1,
        isRepeated: () => false,
        isLive: true,
        ...over,
      };
      return emit(attempt, early);
    },
    log: () => redis.xrange(keys.log(companyId), '-', '+'),
    close: () => {
      redis.disconnect();
    },
  };
}
