import type { Id } from '@appointment-emissions/contracts';
import type { FindUpdated, UpdatedPage } from '../../../src/domain/updated-rows.ts';
import { createCompanyKeys } from '../../../src/emission/keys.ts';
import { createReadLastPublished } from '../../../src/emission/last-published.ts';
import { isUnavailable } from '../../../src/process/unavailable.ts';
import { createEmitMissed } from '../../../src/sweep/emit-missed.ts';
import { createLeftOutRows } from '../../../src/sweep/left-out.ts';
import { createLookBack } from '../../../src/sweep/look-back.ts';
import { createAcquireSweepLease } from '../../../src/sweep/sweep-state.ts';
import { createSweep } from '../../../src/sweep/sweep.ts';
import { type Program, redisOf } from '../run-code.ts';

const PREFIX = '{check}';
export const COMPANY: Id = 'c1'.padStart(24, 'c');
export const WATERMARK_KEY = `${PREFIX}:sweep:watermark`;
export const orderKey = (appointmentId: Id): string => keys.order(COMPANY, appointmentId);
/** Shorter than any time that passes in the model. */
const LOCK_MS = 15_000;

const keys = createCompanyKeys(PREFIX);
const nothing = (): void => undefined;

/**
 * Sweeps one after another, composed as in production, without the search for removed appointments.
 * @param remembers  whether the walk over the last day begins with the first sweep, instead of the twelfth
 */
export function sweeperProgram({ number, remembers }: { number: number; remembers: boolean }): Program {
  return async (ask) => {
    const redis = redisOf(ask, number);
    const findUpdated: FindUpdated = async (after, until) =>
      (await ask('find', after, until ?? null)) as UpdatedPage;
    const emitMissed = createEmitMissed({
      lastPublished: createReadLastPublished({ redis, keys, reportDamage: nothing }),
      enqueue: async (emissions) => {
        await ask(
          'enqueue',
          ...emissions.map(({ emissionId, appointmentId }) => [emissionId, appointmentId]),
        );
      },
      isCanceled: () => false,
      isUnavailable,
    });
    const leftOut = createLeftOutRows(nothing);
    const lookBack = createLookBack({
      findUpdated,
      findUnsweepable: () => Promise.resolve([]),
      emitMissed,
      leftOut,
    });
    if (remembers) lookBack.beginSoon();
    const sweep = createSweep({
      acquireLease: createAcquireSweepLease({
        redis,
        prefix: PREFIX,
        ownerId: `sweeper-${number}`,
        lockMs: LOCK_MS,
        reportDamage: nothing,
      }),
      findUpdated,
      emitMissed,
      lookBack,
      leftOut,
      findGone: {
        step: () => Promise.resolve(0),
        except: nothing,
        held: () => undefined,
        forget: nothing,
      },
      backlog: () => Promise.resolve(0),
    });
    for (;;) await sweep().catch(nothing);
  };
}
