import type { Id } from '@appointment-emissions/contracts';
import { ownFields, type AppointmentModel } from '../model/appointment-model.ts';
import type { Models } from './models.ts';
import { isMongoError } from '../process/unavailable.ts';
import { byIds, readCommand } from './read-command.ts';
import { id, type RawDocument } from './stored-values.ts';

/** Key of the appointments themselves, beside the reference fields. */
export const OWN = '_id';

/** Ids by the reference field that holds them, and of the appointments by {@link OWN}. */
export type WantedDocuments = ReadonlyMap<string, ReadonlySet<Id>>;
export type FoundDocuments = ReadonlyMap<string, ReadonlyMap<Id, RawDocument>>;

/** Reads documents of several collections from the primary. @throws what the driver throws */
export type ReadDocuments = (wanted: WantedDocuments) => Promise<FoundDocuments>;

/** The collection of each field of {@link WantedDocuments}, and what is read of its documents. */
type Sources = ReadonlyMap<string, { collection: string; projection: Record<string, 1> }>;

/** Tells documents of different fields apart: two collections can contain the same id. */
const READ_FOR = '__readFor';

/**
 * Reads with one aggregation, or on servers without `$unionWith` with one `find` for each collection. The server's reply to
 * the first read decides. Network errors do not change the choice.
 */
export function createReadDocuments(models: Models): ReadDocuments {
  const sources = toSources(models.model);
  return untilUnsupported(readByUnion(models, sources), readByFinds(models, sources));
}

function toSources(model: AppointmentModel): Sources {
  const { companyField, references, deletedField = companyField } = model;
  const own = [
    companyField,
    ...references.map(({ field }) => field),
    ...ownFields(model).map(({ storedAs }) => storedAs),
    deletedField,
  ];
  return new Map([
    [OWN, { collection: model.collection, projection: projectionOf(own) }],
    ...references.map(({ field, collection, companyField, fields }) => {
      const names = [companyField, ...fields.map(({ name }) => name)];
      return [field, { collection, projection: projectionOf(names) }] as const;
    }),
  ]);
}

function projectionOf(names: readonly string[]): Record<string, 1> {
  return Object.fromEntries(names.map((name) => [name, 1 as const]));
}

function readByUnion({ connection, ObjectId }: Models, sources: Sources): ReadDocuments {
  const stages = new Map(
    [...sources].map(([field, { collection, projection }]) => [
      field,
      { collection, project: { $project: { ...projection, [READ_FOR]: { $literal: field } } } },
    ]),
  );
  return async (wanted) => {
    const [first, ...others] = [...wanted].flatMap(([field, ids]) => {
      const stage = stages.get(field);
      return stage
        ? { coll: stage.collection, pipeline: [{ $match: byIds(ObjectId, ids) }, stage.project] }
        : [];
    });
    const found = new Map([...wanted.keys()].map((field) => [field, new Map<Id, RawDocument>()]));
    if (!first) return found;
    const unions = others.map((union) => ({ $unionWith: union }));
    const documents = await readCommand(connection, first.coll, { pipeline: [...first.pipeline, ...unions] });
    for (const document of documents) {
      found.get(document[READ_FOR] as string)?.set(id(document['_id']) ?? '', document);
    }
    return found;
  };
}

function readByFinds({ connection, ObjectId }: Models, sources: Sources): ReadDocuments {
  return async (wanted) => {
    const read = [...wanted].map(async ([field, ids]) => {
      const source = sources.get(field);
      const documents = source
        ? await readCommand(connection, source.collection, {
            filter: byIds(ObjectId, ids),
            projection: source.projection,
          })
        : [];
      return [field, new Map(documents.map((document) => [id(document['_id']) ?? '', document]))] as const;
    });
    return new Map(await Promise.all(read));
  };
}

/**
 * Codes of MongoDB and of servers with its protocol: unknown stage, CommandNotFound, CommandNotSupported, NotImplemented
 * (FerretDB), and "aggregation stage not supported" (Amazon DocumentDB).
 */
const UNSUPPORTED_CODES = new Set([40_324, 59, 115, 238, 304]);

/** Calls `preferred` until the server does not support it, and from then on `plain`. */
export function untilUnsupported<Argument, Result>(
  preferred: (argument: Argument) => Promise<Result>,
  plain: (argument: Argument) => Promise<Result>,
): (argument: Argument) => Promise<Result> {
  let isSupported = true;
  return async (argument) => {
    if (!isSupported) return plain(argument);
    try {
      return await preferred(argument);
    } catch (error) {
      if (
        !isMongoError(error, 'MongoServerError') ||
        !UNSUPPORTED_CODES.has(Number((error as { code?: unknown }).code))
      )
        throw error;
      isSupported = false;
      return plain(argument);
    }
  };
}
