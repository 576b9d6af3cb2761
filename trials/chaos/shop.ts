import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Types } from 'mongoose';
import { API_KEY, type World } from '../../test/harness/world.ts';
import type { AppointmentSnapshot, BatchReply } from '@appointment-emissions/contracts';
import { createIndexes } from '../../src/population/indexes.ts';
import type { ChaosOptions } from './options.ts';
import { createRandom, type Random } from './random.ts';

/** The appointments of some companies, each with a version that every write counts up; it stands in the notes. */
export interface Shop {
  companyIds: string[];
  appointmentIds: readonly string[];
  /** Lets the bots write and call until enough is accepted, or the time is over. */
  work: () => Promise<void>;
  /** Each bot ends with the call that it is about. */
  stop: () => void;
  /** From now on bots call without a write before: MongoDB is about to be away for them too. */
  holdWrites: (isHeld: boolean) => void;
  /** Calls for every appointment once, in one batch and without a write. */
  announceAll: () => Promise<void>;
  /** Calls that brought no 202, by what they brought; each was made again. */
  refusals: Record<string, number>;
  readonly writes: number;
  /** Writes whose bot died before it called us. */
  readonly unannounced: number;
}

/** What a bot's call brought. */
export interface Answer {
  at: number;
  /** Which address was called. */
  url: string;
  tookMs: number;
  /** `202`, a status with its code such as `503 QUEUE_UNAVAILABLE`, `no answer` or `no connection`. */
  brought: string;
  /** Of a 409, 429 or 503: whether it says when to come again. */
  retryAfter: boolean;
}

export interface ShopDeps {
  world: World;
  options: ChaosOptions;
  /** Addresses of the API; a bot uses any. */
  urls: readonly string[];
  onAccepted: (emissionId: string) => void;
  onAnswer?: ((answer: Answer) => void) | undefined;
}

const SLUGS = ['appointment-created', 'appointment-updated', 'appointment-canceled'] as const;
const ANSWER_WITHIN_MS = 3_000;
const HOUR_MS = 3_600_000;
const RETRY_WRITE_MS = 300;

export function versionOf({ notes }: AppointmentSnapshot): number {
  return Number(notes?.slice(1) ?? Number.NaN);
}

export async function openShop({ world, options, urls, onAccepted, onAnswer }: ShopDeps): Promise<Shop> {
  const companies = await Promise.all(
    Array.from({ length: options.companies }, () => world.documents.company()),
  );
  await createIndexes(world.documents.models);
  const versions = new Map<string, number>();
  for (const company of companies) {
    for (let i = 0; i < options.appointments; i += 1)
      versions.set(await company.appointment({ notes: 'v1' }), 1);
  }
  const appointmentIds = [...versions.keys()];
  const refusals: Record<string, number> = {};
  const giveUpAt = Date.now() + options.longestMs;
  let [asked, writes, unannounced] = [0, 0, 0];
  let isStopped = false;
  let writesAreHeld = false;
  const isOpen = () => !isStopped && asked < options.emissions && Date.now() < giveUpAt;

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
        return;
      } catch {
        await pause(RETRY_WRITE_MS); // MongoDB is away: the same writes again.
      }
    }
  }

  /** Calls until it is accepted, by whatever API answers, with one key: a call whose answer was lost is not made twice. */
  async function call(path: string, body: unknown, random: Random): Promise<unknown> {
    const key = randomUUID();
    for (;;) {
      const url = random.pick(urls);
      const at = Date.now();
      const { brought, reply, retryAfter } = await callOnce(
        `${url}/api/v1/internal/socket/${path}`,
        body,
        key,
      );
      onAnswer?.({ at, url, tookMs: Date.now() - at, brought, retryAfter });
      if (brought === '202') return reply;
      refusals[brought] = (refusals[brought] ?? 0) + 1;
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

  /** One bot: it alone writes its appointments, so that their versions follow the order of the writes. */
  async function bot(index: number): Promise<void> {
    const random = createRandom(options.seed, `bot ${index}`);
    const own = appointmentIds.filter((_, at) => at % options.bots === index);
    while (isOpen() && own.length > 0) {
      const size = random.next() < options.batchShare ? random.between(2, options.largestBatch) : 1;
      const ids = [...new Set(Array.from({ length: size }, () => random.pick(own)))];
      asked += ids.length;
      if (!writesAreHeld) await write(ids, random);
      if (random.next() < options.dyingBots) unannounced += ids.length;
      else await announce(ids, random);
      if (options.restMs > 0) await pause(random.between(0, 2 * options.restMs));
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
    holdWrites(isHeld) {
      writesAreHeld = isHeld;
    },
    announceAll: () => announce(appointmentIds, createRandom(options.seed, 'all')),
    refusals,
    get writes() {
      return writes;
    },
    get unannounced() {
      return unannounced;
    },
  };
}

/** One call, with its outcome in words; never rejects. */
async function callOnce(url: string, body: unknown, key: string) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const reply = (await response.json()) as { code?: string };
    const brought = [response.status, reply.code].filter(Boolean).join(' ');
    return { brought, reply, retryAfter: response.headers.has('retry-after') };
  } catch (error) {
    const brought = (error as Error).name === 'TimeoutError' ? 'no answer' : 'no connection';
    return { brought, retryAfter: false };
  }
}
