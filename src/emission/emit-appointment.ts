import type { AppointmentEvent, AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import { packReferences } from '../domain/references.ts';
import { coalesce } from '../batching.ts';
import { AppError } from '../errors.ts';
import type { EncodeMessage } from './encode.ts';
import type { Publish, Published } from './publish.ts';
import type { ReadSnapshots } from './read-snapshots.ts';

/** One attempt at one emission. */
export interface EmissionAttempt {
  event: AppointmentEvent;
  appointmentId: Id;
  companyId: Id;
  emissionId: string;
  /** ISO 8601. */
  acceptedAt: string;
  /** From 1. */
  attempt: number;
  /** Somebody waits for it: it is not read together with a batch, a repair or what the sweep has found. */
  isLive: boolean;
}

/** What became of it; kept as the job's result. */
export interface Receipt extends Published {
  /** ISO 8601: when the snapshot had been read. */
  populatedAt: string;
  publishedAt: string;
}

/**
 * Claims, reads, confirms and publishes the newest state of an appointment.
 * @throws AppError APPOINTMENT_NOT_FOUND, COMPANY_MISMATCH, SNAPSHOT_TOO_LARGE: final.
 * @throws what MongoDB or Redis throw: worth another try.
 */
export type EmitAppointment = (attempt: EmissionAttempt) => Promise<Receipt>;

export interface EmitAppointmentDeps {
  readSnapshots: ReadSnapshots;
  encode: EncodeMessage;
  publish: Publish;
  /** True where a server is away, so that trying a smaller batch is of no use. */
  isUnavailable: (error: unknown) => boolean;
  /** Waits after lost rounds, and between batches of what nobody waits for. */
  pause: (ms: number) => Promise<void>;
  /** Milliseconds since 1970, by a clock that all processes share. */
  now?: () => number;
}

type Outcome = { receipt: Receipt } | { lost: true } | { error: unknown };

const LIVE = { maxBatch: 100, maxInFlight: 2, firstAtOnce: true };
/**
 * What nobody waits for. While it runs it takes from the live ones what processor there is: so, while there are any, it
 * goes one by one, with a pause before each.
 */
const BULK = { besideLive: 1, alone: 10 };
const BULK_PAUSE_MS = 3;
const LIVE_IS_OVER_AFTER_MS = 60_000;
const LARGEST_MESSAGE_BYTES = 256 * 1024;
/** After so many rounds in which somebody else was quicker, wait: a frequently written appointment must not spin. */
const ROUNDS_BEFORE_PAUSE = 5;
const PAUSE_MS = { min: 50, max: 250 };

export function createEmitAppointment(deps: EmitAppointmentDeps): EmitAppointment {
  let liveAt = -Infinity;
  const isBesideLive = () => performance.now() - liveAt < LIVE_IS_OVER_AFTER_MS;
  const run = (attempts: readonly EmissionAttempt[]) => emitBatch(deps, attempts);
  // In one lane a live booking would wait for the batches under way, and then for the end of its own.
  const live = coalesce({ run, ...LIVE });
  const bulk = coalesce({
    async run(attempts: readonly EmissionAttempt[]) {
      if (isBesideLive()) await deps.pause(BULK_PAUSE_MS);
      return run(attempts);
    },
    maxBatch: () => (isBesideLive() ? BULK.besideLive : BULK.alone),
  });
  return async (attempt) => {
    if (attempt.isLive) liveAt = performance.now();
    const round = attempt.isLive ? live : bulk;
    for (let rounds = 1; ; rounds += 1) {
      const outcome = await round(attempt);
      if ('receipt' in outcome) return outcome.receipt;
      if ('error' in outcome) throw outcome.error;
      if (rounds % ROUNDS_BEFORE_PAUSE === 0) {
        await deps.pause(PAUSE_MS.min + Math.random() * (PAUSE_MS.max - PAUSE_MS.min));
      }
    }
  };
}

/** One round for a batch: every attempt has its own outcome, whatever becomes of the others. */
async function emitBatch(
  deps: EmitAppointmentDeps,
  attempts: readonly EmissionAttempt[],
): Promise<Outcome[]> {
  let read;
  try {
    read = await deps.readSnapshots(attempts);
  } catch (error) {
    if (attempts.length === 1 || deps.isUnavailable(error)) return attempts.map(() => ({ error }));
    // One bad document fails the query of all: find it by halves, so that it alone spends its attempt.
    const middle = attempts.length >> 1;
    const halves = [attempts.slice(0, middle), attempts.slice(middle)];
    return (await Promise.all(halves.map((half) => emitBatch(deps, half)))).flat();
  }
  const { readId, claims, snapshots } = read;
  const { now = Date.now } = deps;
  const populatedAt = new Date(now()).toISOString();

  const outcomes = new Map<EmissionAttempt, Outcome>();
  const byCompany = new Map<Id, EmissionAttempt[]>();
  for (const attempt of attempts) {
    const error = unfit(attempt, snapshots.get(attempt.appointmentId));
    if (error) outcomes.set(attempt, { error });
    else byCompany.set(attempt.companyId, [...(byCompany.get(attempt.companyId) ?? []), attempt]);
  }

  await Promise.all(
    [...byCompany].map(async ([companyId, members]) => {
      const publishedAt = new Date(now()).toISOString();
      const claim = claims.get(companyId);
      try {
        const ready = members.flatMap((attempt) => {
          const appointment = snapshots.get(attempt.appointmentId) as AppointmentSnapshot;
          const encoded = deps.encode(appointment, { ...attempt, publishedAt });
          if (encoded.head.length + encoded.tail.length > LARGEST_MESSAGE_BYTES) {
            const error = new AppError(
              'SNAPSHOT_TOO_LARGE',
              `appointment ${attempt.appointmentId} makes a message of more than ${LARGEST_MESSAGE_BYTES} bytes: shorten its notes`,
            );
            outcomes.set(attempt, { error });
            return [];
          }
          const claimedToken = claim?.tokens.get(attempt.appointmentId) ?? '';
          const { appointmentId, emissionId, event } = attempt;
          const { updatedAt, status } = appointment;
          const references = packReferences(appointment);
          return [
            {
              attempt,
              message: {
                ...{ ...encoded, appointmentId, emissionId, event },
                ...{ claimedToken, updatedAt, status, references },
              },
            },
          ];
        });
        const published = await deps.publish(
          companyId,
          { readId, epoch: claim?.epoch ?? '' },
          ready.map(({ message }) => message),
        );
        ready.forEach(({ attempt }, index) => {
          const place = published[index];
          outcomes.set(attempt, place ? { receipt: { ...place, populatedAt, publishedAt } } : { lost: true });
        });
      } catch (error) {
        for (const attempt of members) if (!outcomes.has(attempt)) outcomes.set(attempt, { error });
      }
    }),
  );
  return attempts.map((attempt) => outcomes.get(attempt) ?? { lost: true });
}

function unfit(attempt: EmissionAttempt, appointment: AppointmentSnapshot | undefined): AppError | undefined {
  if (!appointment) {
    return new AppError('APPOINTMENT_NOT_FOUND', `appointment ${attempt.appointmentId} does not exist`);
  }
  if (appointment.companyId !== attempt.companyId) {
    return new AppError(
      'COMPANY_MISMATCH',
      `appointment ${attempt.appointmentId} is no longer of the company that it was accepted for`,
    );
  }
  return undefined;
}
