import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Types } from 'mongoose';
import { API_KEY, type World } from '../harness/world.ts';
import type { AppointmentSnapshot } from '../../src/contracts/appointment.ts';
import type { BatchReply } from '../../src/contracts/http.ts';
import { createIndexes } from '../../src/population/indexes.ts';
import type { ChaosOptions } from './options.ts';
import { createRandom, type Random } from './random.ts';

/** The appointments of some companies, each with a version that every write counts up; it stands in the notes. */
export interface Shop {
  companyIds: string[];
  /** Lets the bots write and call until enough is accepted, or the time is over. */
  work: () => Promise<void>;
  /** Calls that brought no 202, by what they brought; each was made again. */
  refusals: Record<string, number>;
  readonly writes: number;
  /** Writes whose bot died before it called us. */
  readonly unannounced: number;
}

export interface ShopDeps {
  world: World;
  options: ChaosOptions;
  /** Addresses of the API; a bot uses any. */
  urls: readonly string[];
  onAccepted: (emissionId: string) => void;
}

const SLUGS = ['appointment-created', 'appointment-updated', 'appointment-canceled'] as const;
const ANSWER_WITHIN_MS = 3_000;
const HOUR_MS = 3_600_000;

export function versionOf({ notes }: AppointmentSnapshot): number {
  return Number(notes?.slice(1) ?? Number.NaN);
}

export async function openShop({ world, options, urls, onAccepted }: ShopDeps): Promise<Shop> {
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
    await world.documents.models.Appointment.collection.bulkWrite(updates);
  }

  /** Calls until it is accepted, by whatever API answers, with one key: a call whose answer was lost is not made twice. */
  async function call(path: string, body: unknown, random: Random): Promise<unknown> {
    const key = randomUUID();
    for (;;) {
      let refused: string;
      try {
        const response = await fetch(`${random.pick(urls)}/api/v1/internal/socket/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, 'idempotency-key': key },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        });
        if (response.status === 202) return await response.json();
        refused = String(response.status);
        await response.body?.cancel();
      } catch (error) {
        refused = (error as Error).name === 'TimeoutError' ? 'no answer' : 'no connection';
      }
      refusals[refused] = (refusals[refused] ?? 0) + 1;
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
    while (asked < options.emissions && Date.now() < giveUpAt && own.length > 0) {
      const size = random.next() < options.batchShare ? random.between(2, options.largestBatch) : 1;
      const ids = [...new Set(Array.from({ length: size }, () => random.pick(own)))];
      asked += ids.length;
      await write(ids, random);
      if (random.next() < options.dyingBots) unannounced += ids.length;
      else await announce(ids, random);
    }
  }

  return {
    companyIds: companies.map(({ companyId }) => companyId),
    work: async () => {
      await Promise.all(Array.from({ length: options.bots }, (_, index) => bot(index)));
    },
    refusals,
    get writes() {
      return writes;
    },
    get unannounced() {
      return unannounced;
    },
  };
}
