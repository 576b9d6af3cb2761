import type { AppointmentEvent, AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import { coalesce } from '../batching.ts';
import { eventToSend } from '../domain/company-log.ts';
import { AppError } from '../errors.ts';
import { type BulkPacer, createBulkPacer } from '../process/bulk-pacer.ts';
import type { EncodeMessage } from './encode.ts';
import type { OutgoingMessage, Publish, Published } from './publish.ts';
import type { ReadSnapshots, SnapshotRead, SnapshotRequest } from './read-snapshots.ts';
import type { PublishTrace, TracePublish } from './trace-emissions.ts';

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
  /** Called before publication. True if another run may have published it: then the log is searched first. */
  isRepeated: () => boolean;
  /** From the live queue. It is never read in one batch with emissions of the bulk queue. */
  isLive: boolean;
  /** W3C Trace Context. */
  traceparent?: string | undefined;
}

/** Result of a published emission; kept as the result of its job. */
export interface Receipt extends Omit<Published, 'eventBefore'> {
  /** The event that was published. It differs from the job's if the read decided about a deletion, see `eventToSend`. */
  event: AppointmentEvent;
  /** ISO 8601: when the snapshot was read. */
  populatedAt: string;
  /** ISO 8601. */
  publishedAt: string;
}

/** Claimed and read, but not confirmed. */
export interface EarlyRead {
  read: SnapshotRead;
  /** ISO 8601. */
  populatedAt: string;
}

/**
 * Claims, reads, confirms and publishes the newest state of an appointment: its snapshot, or, if it does not exist, its
 * deletion.
 * @param early  a read of this appointment that was claimed after its write. If the read is refused, or undefined, the
 * appointment is claimed and read again.
 * @throws AppError COMPANY_MISMATCH, SNAPSHOT_TOO_LARGE: permanent
 * @throws the errors of MongoDB and Redis: another attempt may succeed
 */
export type EmitAppointment = (
  attempt: EmissionAttempt,
  early?: Promise<EarlyRead | undefined>,
) => Promise<Receipt>;

export interface EmitAppointmentDeps {
  readSnapshots: ReadSnapshots;
  encode: EncodeMessage;
  publish: Publish;
  tracePublish?: TracePublish | undefined;
  /** The ids that a snapshot refers to, as one text: a guess for the next read. */
  packReferences: (snapshot: AppointmentSnapshot) => string;
  /** Identifies the content of a snapshot for capture; absent in workers with capture off. */
  digestOf?: ((snapshot: AppointmentSnapshot) => string) | undefined;
  /** True if a server is unavailable: then a smaller batch would fail too. */
  isUnavailable: (error: unknown) => boolean;
  /** Called for each snapshot whose order token had changed, so that it is read again. */
  onLost?: () => void;
  /** Waits after lost rounds, and before batches of bulk emissions. */
  pause: (ms: number) => Promise<void>;
  /** Makes bulk emissions yield to live ones. */
  pacer?: BulkPacer;
  /** Milliseconds since 1970, by a clock that all processes share. */
  now?: () => number;
}

type Outcome = { receipt: Receipt } | { lost: true } | { error: unknown };

const LIVE = { maxBatch: 100, maxInFlight: 2, firstAtOnce: true };
/** A larger batch costs less for each emission, but delays live emissions of this and other processes longer. */
const MAX_BULK_BATCH = { alone: 20, besideLive: 10 };
const MAX_MESSAGE_BYTES = 256 * 1024;
/** After this many rounds whose order token had changed, pause: an appointment that is written often must not spin. */
const ROUNDS_BEFORE_PAUSE = 5;
const PAUSE_MS = { min: 50, max: 250 };

export function createEmitAppointment(deps: EmitAppointmentDeps): EmitAppointment {
  const { pause, pacer = createBulkPacer({ pause }) } = deps;
  const run = (attempts: readonly EmissionAttempt[]) => emitBatch(deps, attempts);
  // In a common lane a live emission would wait for bulk batches in flight, and for the end of its own batch.
  const live = coalesce({ run, ...LIVE });
  const bulk = coalesce({
    run: (attempts: readonly EmissionAttempt[]) => pacer.bulk(() => run(attempts)),
    maxBatch: () => (pacer.isBesideLive() ? MAX_BULK_BATCH.besideLive : MAX_BULK_BATCH.alone),
  });

  async function untilConfirmed(
    attempt: EmissionAttempt,
    early?: Promise<EarlyRead | undefined>,
  ): Promise<Receipt> {
    const round = attempt.isLive ? live : bulk;
    const read = early && (await early);
    const [ofEarlyRead] = read ? await publishRead(deps, [attempt], read) : [];
    let outcome = ofEarlyRead ?? (await round(attempt));
    for (let rounds = 1; ; rounds += 1) {
      if ('receipt' in outcome) return outcome.receipt;
      if ('error' in outcome) throw outcome.error;
      if (rounds % ROUNDS_BEFORE_PAUSE === 0) {
        await pause(PAUSE_MS.min + Math.random() * (PAUSE_MS.max - PAUSE_MS.min));
      }
      outcome = await round(attempt);
    }
  }

  return (attempt, early) =>
    attempt.isLive ? pacer.live(() => untilConfirmed(attempt, early)) : untilConfirmed(attempt);
}

/** Claims and reads an appointment before its job starts. Resolves to undefined if that fails: the job reads again. */
export function createReadEarly({
  readSnapshots,
  now = Date.now,
}: Pick<EmitAppointmentDeps, 'readSnapshots' | 'now'>) {
  return async (request: SnapshotRequest): Promise<EarlyRead | undefined> => {
    try {
      const read = await readSnapshots([request]);
      return { read, populatedAt: new Date(now()).toISOString() };
    } catch {
      return undefined;
    }
  };
}

/** One round for a batch. Each attempt has its own outcome. */
async function emitBatch(
  deps: EmitAppointmentDeps,
  attempts: readonly EmissionAttempt[],
): Promise<Outcome[]> {
  let read: SnapshotRead;
  try {
    read = await deps.readSnapshots(attempts);
  } catch (error) {
    if (attempts.length === 1 || deps.isUnavailable(error)) return attempts.map(() => ({ error }));
    // One bad document fails the query for all: halving finds it, so only its own emission spends an attempt.
    const middle = attempts.length >> 1;
    const halves = [attempts.slice(0, middle), attempts.slice(middle)];
    return (await Promise.all(halves.map((half) => emitBatch(deps, half)))).flat();
  }
  const { now = Date.now } = deps;
  return publishRead(deps, attempts, { read, populatedAt: new Date(now()).toISOString() });
}

/** Confirms and publishes what was read for a batch, with one script for each company. */
async function publishRead(
  deps: EmitAppointmentDeps,
  attempts: readonly EmissionAttempt[],
  { read, populatedAt }: EarlyRead,
): Promise<Outcome[]> {
  const outcomes = new Map<EmissionAttempt, Outcome>();
  const byCompany = new Map<Id, EmissionAttempt[]>();
  for (const attempt of attempts) {
    const error =
      read.failed.get(attempt.companyId) ?? mismatchOf(attempt, read.snapshots.get(attempt.appointmentId));
    if (error) outcomes.set(attempt, { error });
    else byCompany.set(attempt.companyId, [...(byCompany.get(attempt.companyId) ?? []), attempt]);
  }
  await Promise.all(
    [...byCompany].map(async ([companyId, members]) => {
      const published = await publishForCompany(deps, { companyId, attempts: members, read, populatedAt });
      for (const [attempt, outcome] of published) outcomes.set(attempt, outcome);
    }),
  );
  return attempts.map((attempt) => outcomes.get(attempt) ?? { lost: true });
}

/** What was read for the emissions of one company. */
interface CompanyBatch {
  companyId: Id;
  attempts: readonly EmissionAttempt[];
  read: SnapshotRead;
  /** ISO 8601. */
  populatedAt: string;
}

/** Confirms and publishes the snapshots and deletions of one company with one script. */
async function publishForCompany(
  deps: EmitAppointmentDeps,
  batch: CompanyBatch,
): Promise<Map<EmissionAttempt, Outcome>> {
  const { publish, onLost, now = Date.now } = deps;
  const { companyId, attempts, populatedAt } = batch;
  const { readId, claims } = batch.read;
  const publishedAt = new Date(now()).toISOString();
  const outcomes = new Map<EmissionAttempt, Outcome>();
  const ready = new Map<EmissionAttempt, ReadyMessage>();
  try {
    for (const attempt of attempts) {
      const message = prepareMessage(deps, batch, attempt, publishedAt);
      if (message instanceof AppError) outcomes.set(attempt, { error: message });
      else ready.set(attempt, message);
    }
    const epoch = claims.get(companyId)?.epoch ?? '';
    const positions = await publish(companyId, { readId, epoch }, [...ready.values()]);
    [...ready].forEach(([attempt, { event, trace }], index) => {
      const position = positions[index];
      if (!position) onLost?.();
      trace?.end(position);
      if (!position) {
        outcomes.set(attempt, { lost: true });
        return;
      }
      const { eventBefore = event, ...published } = position;
      outcomes.set(attempt, { receipt: { ...published, event: eventBefore, populatedAt, publishedAt } });
    });
  } catch (error) {
    for (const { trace } of ready.values()) trace?.fail(error);
    for (const attempt of attempts) if (!outcomes.has(attempt)) outcomes.set(attempt, { error });
  }
  return outcomes;
}

type ReadyMessage = OutgoingMessage & { trace: PublishTrace | undefined };

/** Encodes the message of an emission; an error if it is too large. */
function prepareMessage(
  { encode, tracePublish, packReferences, digestOf }: EmitAppointmentDeps,
  { companyId, read }: CompanyBatch,
  emission: EmissionAttempt,
  publishedAt: string,
): ReadyMessage | AppError {
  const { appointmentId, emissionId, attempt, acceptedAt } = emission;
  const appointment = read.snapshots.get(appointmentId);
  const event = eventToSend(emission.event, appointment);
  const claimedToken = read.claims.get(companyId)?.tokens.get(appointmentId) ?? '';
  const trace = tracePublish?.(emission, read.traceparent);
  const encoded = encode(
    appointment ?? { _id: appointmentId, companyId },
    { emissionId, event, attempt, acceptedAt, publishedAt, traceparent: trace?.traceparent },
    { claimedToken, readId: read.readId },
  );
  if (encoded.head.length + encoded.tail.length > MAX_MESSAGE_BYTES) {
    const error = tooLarge(emission);
    trace?.fail(error);
    return error;
  }
  return {
    ...encoded,
    trace,
    appointmentId,
    emissionId,
    isRepeated: emission.isRepeated(),
    event,
    claimedToken,
    updatedAt: appointment?.updatedAt ?? null,
    status: appointment?.status ?? null,
    references: appointment ? packReferences(appointment) : '',
    digest: appointment && digestOf ? digestOf(appointment) : '',
  };
}

function tooLarge({ appointmentId }: EmissionAttempt): AppError {
  return new AppError(
    'SNAPSHOT_TOO_LARGE',
    `the message for appointment ${appointmentId} has more than ${MAX_MESSAGE_BYTES} bytes: shorten its notes`,
  );
}

/** Why nothing must be published for this attempt; undefined if it may. */
function mismatchOf(
  { appointmentId, companyId }: EmissionAttempt,
  appointment: AppointmentSnapshot | undefined,
): AppError | undefined {
  if (!appointment || appointment.companyId === companyId) return undefined;
  return new AppError(
    'COMPANY_MISMATCH',
    `appointment ${appointmentId} belongs to another company than the emission was accepted for`,
  );
}
