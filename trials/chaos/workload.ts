import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Types } from 'mongoose';
import { API_KEY, type World } from '../../test/harness/world.ts';
import type { BatchReply, Id } from '@appointment-emissions/contracts';
import { createIndexes } from '../../src/population/indexes.ts';
import type { ChaosOptions } from './options.ts';
import { createRandom, type Random } from './random.ts';

/**
 * Bots that write appointments of several companies and call the API. Each appointment has a version, stored in its notes
 * (`v1`, `v2`, …), which every write increments.
 */
export interface Workload {
  companyIds: string[];
  appointmentIds: readonly string[];
  /** Runs the bots until they have requested enough emissions or the time is over. */
  work: () => Promise<void>;
  /** Stops each bot after its current call. */
  stop: () => void;
  /** While paused, bots call without a write before it. Used when MongoDB becomes unavailable to the bots too. */
  pauseWrites: (isPaused: boolean) => void;
  /** Emits every appointment once, in one batch and without a write. */
  emitAll: () => Promise<void>;
  /** Number of calls without a 202, by outcome. Each was repeated. */
  repeatedCalls: Record<string, number>;
  readonly writes: number;
  /** Writes without a call: their bot died before it, or bots never call. */
  readonly unannounced: number;
}

/** The result of one call of a bot. */
export interface CallResult {
  at: number;
  /** Base URL of the API called. */
  url: string;
  durationMs: number;
  /** `202`, another status with its code such as `503 QUEUE_UNAVAILABLE`, `no response` or `no connection`. */
  outcome: string;
  /** Whether the response has a `Retry-After` header. */
  hasRetryAfter: boolean;
}

export interface WorkloadDeps {
  world: World;
  options: ChaosOptions;
  /** Base URLs of the APIs. A bot picks one for each call. */
  urls: readonly string[];
  onAccepted: (emissionId: string) => void;
  /** Called when MongoDB has acknowledged a write, and for the first version of each appointment. */
  onWritten?: ((appointmentId: Id, version: number, companyId: Id) => void) | undefined;
  onCallResult?: ((answer: CallResult) => void) | undefined;
}

const SLUGS = ['appointment-created', 'appointment-updated', 'appointment-canceled'] as const;
const RESPONSE_TIMEOUT_MS = 3_000;
const HOUR_MS = 3_600_000;
const RETRY_WRITE_MS = 300;

export async function openWorkload({
  world,
  options,
  urls,
  onAccepted,
  onWritten,
  onCallResult,
}: WorkloadDeps): Promise<Workload> {
  const companies = await Promise.all(
    Array.from({ length: options.companies }, () => world.documents.company()),
  );
  await createIndexes(world.models);
  const versions = new Map<string, number>();
  const companyOf = new Map<Id, Id>();
  for (const company of companies) {
    for (let i = 0; i < options.appointments; i += 1) {
      const id = await company.appointment({ notes: 'v1' });
      versions.set(id, 1);
      companyOf.set(id, company.companyId);
      onWritten?.(id, 1, company.companyId);
    }
  }
  const appointmentIds = [...versions.keys()];
  const repeatedCalls: Record<string, number> = {};
  const giveUpAt = Date.now() + options.maxDurationMs;
  let [requested, writes, unannounced] = [0, 0, 0];
  let isStopped = false;
  let writesArePaused = false;
  const isOpen = () => !isStopped && requested < options.emissions && Date.now() < giveUpAt;

  async function write(ids: readonly string[], random: Random): Promise<void> {
    const updates = ids.map((id) => {
      const version = (versions.get(id) ?? 0) + 1;
      versions.set(id, version);
      const start = new Date(Date.now() + random.between(-48, 48) * HOUR_MS);
      const $set = {
        notes: `v${version}`,
        status: random.next() < 0.2 ? 'canceled' : 'scheduled',
        start,
        end: new Date(start.getTime() + HOUR_MS),
        updatedAt: new Date(),
      };
      return { updateOne: { filter: { _id: new Types.ObjectId(id) }, update: { $set } } };
    });
    writes += ids.length;
    for (;;) {
      try {
        await world.documents.models.Appointment.collection.bulkWrite(updates);
        for (const id of ids) onWritten?.(id, versions.get(id)!, companyOf.get(id)!);
        return;
      } catch {
        await pause(RETRY_WRITE_MS); // MongoDB is unavailable: repeat the same writes.
      }
    }
  }

  /** Calls any API until one accepts. The idempotency key stays the same, so a lost response causes no second emission. */
  async function call(path: string, body: unknown, random: Random): Promise<unknown> {
    const key = randomUUID();
    for (;;) {
      const url = random.pick(urls);
      const at = Date.now();
      const { outcome, reply, hasRetryAfter } = await callOnce(
        `${url}/api/v1/internal/socket/${path}`,
        body,
        key,
      );
      onCallResult?.({ at, url, durationMs: Date.now() - at, outcome, hasRetryAfter });
      if (outcome === '202') return reply;
      repeatedCalls[outcome] = (repeatedCalls[outcome] ?? 0) + 1;
      await pause(random.between(50, 300));
    }
  }

  async function announce(ids: readonly string[], random: Random): Promise<void> {
    const [first] = ids;
    if (ids.length === 1) {
      const reply = (await call(random.pick(SLUGS), { appointmentId: first }, random)) as {
        emissionId: string;
      };
      onAccepted(reply.emissionId);
      return;
    }
    const emissions = ids.map((appointmentId) => ({ event: 'appointment:updated', appointmentId }));
    const { results } = (await call('batch', { emissions }, random)) as BatchReply;
    for (const { emissionId, code } of results) {
      if (emissionId === undefined) throw new Error(`an emission of a batch was rejected: ${code ?? ''}`);
      onAccepted(emissionId);
    }
  }

  async function announceRepeatedly(ids: readonly string[], random: Random): Promise<void> {
    for (let count = 0; count < options.announcements; count += 1) {
      requested += ids.length;
      await announce(ids, random);
    }
  }

  /** Runs one bot. No other bot writes its appointments, so that their versions follow the order of the writes. */
  async function bot(index: number): Promise<void> {
    const random = createRandom(options.seed, `bot ${index}`);
    const own = appointmentIds.filter((_, at) => at % options.bots === index);
    while (isOpen() && own.length > 0) {
      const size = random.next() < options.batchShare ? random.between(2, options.maxBatchSize) : 1;
      const ids = [...new Set(Array.from({ length: size }, () => random.pick(own)))];
      if (!writesArePaused) await write(ids, random);
      if (random.next() < options.unannouncedShare) {
        requested += ids.length;
        unannounced += ids.length;
      } else await announceRepeatedly(ids, random);
      if (options.pauseMs > 0) await pause(random.between(0, 2 * options.pauseMs));
    }
  }

  return {
    companyIds: companies.map(({ companyId }) => companyId),
    appointmentIds,
    work: async () => {
      await Promise.all(Array.from({ length: options.bots }, (_, index) => bot(index)));
    },
    stop() {
      isStopped = true;
    },
    pauseWrites(isPaused) {
      writesArePaused = isPaused;
    },
    emitAll: () => announce(appointmentIds, createRandom(options.seed, 'all')),
    repeatedCalls,
    get writes() {
      return writes;
    },
    get unannounced() {
      return unannounced;
    },
  };
}

/** Makes one call. Never rejects. */
async function callOnce(url: string, body: unknown, key: string) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS),
    });
    const reply = (await response.json()) as { code?: string };
    const outcome = [response.status, reply.code].filter(Boolean).join(' ');
    return { outcome, reply, hasRetryAfter: response.headers.has('retry-after') };
  } catch (error) {
    const outcome = (error as Error).name === 'TimeoutError' ? 'no response' : 'no connection';
    return { outcome, hasRetryAfter: false };
  }
}
