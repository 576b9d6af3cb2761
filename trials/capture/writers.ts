import { setTimeout as pause } from 'node:timers/promises';
import { Types } from 'mongoose';
import type { Company } from '../../test/harness/documents.ts';
import type { World } from '../../test/harness/world.ts';
import { createRandom, type Random } from '../chaos/random.ts';
import type { CaptureOptions } from './options.ts';

/** How a writer changes appointments. Only the first calls the API. */
export const WRITERS = [
  'bot with call',
  'bot without call',
  'updateMany',
  'bulkWrite',
  'transaction',
  'delete',
  'updatedAt untouched',
] as const;
export type WriterName = (typeof WRITERS)[number];

/** Appointments of one writer in one company. No other writer changes them, so each version is newer than the one before. */
const APPOINTMENTS_PER_WRITER = 20;
/** How long the writers go on for the missing faults. */
const MAX_EXTRA_MS = 120_000;
/** Appointments that one `updateMany`, `bulkWrite` or transaction changes. */
const MAX_AT_ONCE = 5;

/** `notes` are "<writer> v<version>". */
const NOTES = /^(.+) v(\d+)$/;

/** The writer and the version of a state. @throws if no writer of this trial wrote it */
export function parseNotes(notes: string | null): { writer: WriterName; version: number } {
  const [, writer, version] = NOTES.exec(notes ?? '') ?? [];
  const known = WRITERS.find((name) => name === writer);
  if (!known) throw new Error(`the notes "${String(notes)}" are of no writer`);
  return { writer: known, version: Number(version) };
}

export interface Writing {
  /** Number of documents written, by writer. */
  written: Record<WriterName, number>;
  /** Number of appointments that were deleted. */
  deleted: number;
}

export interface WritersDeps {
  world: World;
  companies: readonly Company[];
  /** The API that the bot calls. */
  api: { url: string };
  options: CaptureOptions;
  /** Whether the owner was killed, and replaced while it was frozen. */
  isDisturbed: () => boolean;
}

/**
 * Runs a writer of each kind in each company, until they wrote `options.writes` documents together and each kind of fault
 * has happened.
 */
export async function runWriters({
  world,
  companies,
  api,
  options,
  isDisturbed,
}: WritersDeps): Promise<Writing> {
  const written = Object.fromEntries(WRITERS.map((name) => [name, 0])) as Record<WriterName, number>;
  let [total, deleted] = [0, 0];
  let completeAt: number | undefined;
  const isOpen = (): boolean => {
    if (total < options.writes) return true;
    completeAt ??= Date.now();
    return !isDisturbed() && Date.now() - completeAt < MAX_EXTRA_MS;
  };

  async function run(writer: WriterName, company: Company, random: Random): Promise<void> {
    const own = createOwnAppointments({ writer, random });
    const writes = createWrites({ world, api, own, company });
    while (isOpen()) {
      const isDeletion = writer === 'delete' && own.isComplete();
      const count = await (own.isComplete() ? writes[writer] : writes.insert)();
      total += count;
      written[writer] += count;
      if (isDeletion) deleted += count;
      await pause(random.between(0, 2 * options.pauseMs));
    }
  }

  await Promise.all(
    companies.flatMap((company, index) =>
      WRITERS.map((writer) => run(writer, company, createRandom(options.seed, `${writer} ${index}`))),
    ),
  );
  return { written, deleted };
}

interface OwnAppointments {
  writer: WriterName;
  isComplete: () => boolean;
  add: (id: string) => void;
  /** Removes one from the set, and returns its id. */
  remove: () => string;
  /** Picks up to `max` appointments, and the fields of their next version, which is the same for all. */
  next: (max: number) => { ids: Types.ObjectId[]; fields: { notes: string } };
}

/** The appointments that one writer changes in one company, with their versions. */
function createOwnAppointments(deps: { writer: WriterName; random: Random }): OwnAppointments {
  const { writer, random } = deps;
  const versions = new Map<string, number>();
  const pick = () => random.pick([...versions.keys()]);
  return {
    writer,
    isComplete: () => versions.size >= APPOINTMENTS_PER_WRITER,
    add: (id) => void versions.set(id, 1),
    remove() {
      const id = pick();
      versions.delete(id);
      return id;
    },
    next(max) {
      const ids = [...new Set(Array.from({ length: max }, pick))];
      const version = 1 + Math.max(...ids.map((id) => versions.get(id) ?? 0));
      for (const id of ids) versions.set(id, version);
      return { ids: ids.map((id) => new Types.ObjectId(id)), fields: { notes: `${writer} v${version}` } };
    },
  };
}

/** One write of each kind. Each resolves to the number of documents that it wrote, after the commit. */
function createWrites({
  world,
  api,
  own,
  company,
}: Pick<WritersDeps, 'world' | 'api'> & { own: OwnAppointments; company: Company }): Record<
  WriterName | 'insert',
  () => Promise<number>
> {
  const { collection } = world.documents.models.Appointment;
  const touched = (fields: { notes: string }) => ({ $set: { ...fields, updatedAt: new Date() } });
  const updateOne = async (): Promise<string> => {
    const { ids, fields } = own.next(1);
    await collection.updateOne({ _id: ids[0]! }, touched(fields));
    return ids[0]!.toHexString();
  };
  const nextUpdates = () => {
    const { ids, fields } = own.next(MAX_AT_ONCE);
    return ids.map((_id) => ({ updateOne: { filter: { _id }, update: touched(fields) } }));
  };
  return {
    async insert() {
      const id = await company.appointment({ notes: `${own.writer} v1` });
      own.add(id);
      if (own.writer === 'bot with call') await world.emit(api, 'appointment-created', id);
      return 1;
    },
    async 'bot with call'() {
      await world.emit(api, 'appointment-updated', await updateOne());
      return 1;
    },
    async 'bot without call'() {
      await updateOne();
      return 1;
    },
    async updateMany() {
      const { ids, fields } = own.next(MAX_AT_ONCE);
      await collection.updateMany({ _id: { $in: ids } }, touched(fields));
      return ids.length;
    },
    async bulkWrite() {
      const updates = nextUpdates();
      await collection.bulkWrite(updates);
      return updates.length;
    },
    async transaction() {
      const updates = nextUpdates();
      const session = await world.models.connection.startSession();
      await session.withTransaction(() => collection.bulkWrite(updates, { session }));
      await session.endSession();
      return updates.length;
    },
    async delete() {
      await collection.deleteOne({ _id: new Types.ObjectId(own.remove()) });
      return 1;
    },
    async 'updatedAt untouched'() {
      const { ids, fields } = own.next(1);
      await collection.updateOne({ _id: ids[0]! }, { $set: fields });
      return 1;
    },
  };
}
