import { createHash } from 'node:crypto';
import type { Connection, mongo } from 'mongoose';
import {
  type AppointmentChange,
  type Change,
  type EndReason,
  NoChangeStreams,
  type OpenChanges,
  StreamEnded,
} from '../domain/changes.ts';
import type { Models } from './models.ts';
import { databaseOf } from './read-command.ts';
import { id, isObjectId } from './stored-values.ts';

/** Error codes of MongoDB. */
const REASONS: Readonly<Record<number, EndReason>> = {
  286: 'history-lost', // ChangeStreamHistoryLost
  280: 'history-lost', // ChangeStreamFatalError
  136: 'history-lost', // CappedPositionLost
  260: 'token', // InvalidResumeToken
  10_334: 'too-large', // BSONObjectTooLarge
};
/** No replica set; unknown stage; unknown command; not supported; not implemented. */
const WITHOUT_STREAMS: ReadonlySet<number> = new Set([40_573, 40_324, 59, 115, 238]);
/**
 * Failed to parse; type mismatch; bad value; a missing or unknown field; a token of another stream. At the first read they
 * concern the token.
 */
const WRONG_TOKEN: ReadonlySet<number> = new Set([9, 14, 2, 40_414, 40_415, 40_647]);
/** Errors of decoding the key string in a token. */
const KEY_STRING = { min: 50_800, max: 50_835 };

/** The user lacks a right. The message of this error quotes the whole command. */
const UNAUTHORIZED = 13;

const MAX_AWAIT_MS = 1_000;
const BATCH = 500;

/**
 * Opens a change stream over the collection of the appointments. Only ids are read, never whole documents, so that large
 * documents do not end the stream. The company of a deleted document comes from its pre-image, which needs MongoDB 6 and
 * `changeStreamPreAndPostImages`; older servers are asked without it.
 * @param withReferences  also reads the collections that appointments refer to. Then the stream is that of the database, which
 * needs the right to it.
 */
export function createOpenChanges(
  models: Models,
  { withReferences }: { withReferences: boolean },
): OpenChanges {
  const { connection, appointments } = models;
  const pipeline = toPipeline(models, withReferences);
  let hasPreImages = true;

  return (resumeToken) => {
    const open = () =>
      (withReferences ? databaseOf(connection) : appointments()).watch(pipeline, {
        maxAwaitTimeMS: MAX_AWAIT_MS,
        batchSize: BATCH,
        ...(resumeToken !== undefined && { resumeAfter: parseToken(connection, resumeToken) }),
        ...(hasPreImages && { fullDocumentBeforeChange: 'whenAvailable' }),
      });
    let stream = open();
    let isOpen = false;
    let opens: () => void;
    const opened = new Promise<void>((resolve) => {
      opens = resolve;
    });
    const watchOpening = () =>
      void stream.once('resumeTokenChanged', () => {
        isOpen = true;
        opens();
      });
    watchOpening();

    async function nextDocument(): Promise<mongo.Document> {
      try {
        return await stream.next();
      } catch (error) {
        if (!hasPreImages || !isAboutPreImages(error))
          throw explained(error, resumeToken !== undefined && !isOpen);
        hasPreImages = false;
        await stream.close();
        stream = open();
        watchOpening();
        return nextDocument();
      }
    }

    return {
      opened,
      async next() {
        for (;;) {
          const document = await nextDocument();
          if (document['operationType'] === 'invalidate') throw new StreamEnded('invalidated');
          const change = toChange(models, document);
          if (change) return change;
        }
      },
      resumeToken: () => (stream.resumeToken ? formatToken(connection, stream.resumeToken) : undefined),
      close: () => stream.close(),
    };
  };
}

/** Ids and times only, of the appointments, and with references of the documents that they refer to. */
function toPipeline({ model }: Models, withReferences: boolean): mongo.Document[] {
  const referred = [...new Set(model.references.map(({ collection }) => collection))];
  const written = ['update', 'replace', 'delete'];
  const match = {
    $or: [
      { 'ns.coll': model.collection },
      { 'ns.coll': { $in: referred }, operationType: { $in: written } },
      // The stream ends after it: the database was dropped.
      { operationType: 'invalidate' },
    ],
  };
  const project = {
    ns: 1,
    operationType: 1,
    documentKey: 1,
    clusterTime: 1,
    wallTime: 1,
    [`fullDocumentBeforeChange.${model.companyField}`]: 1,
  };
  return [...(withReferences ? [{ $match: match }] : []), { $project: project }];
}

const KINDS: Readonly<Record<string, AppointmentChange['kind']>> = {
  insert: 'created',
  update: 'written',
  replace: 'written',
  delete: 'deleted',
};

/** `undefined` if it is no write of an appointment that can be emitted. Everything in it is input. */
function toChange({ connection, model }: Models, document: mongo.Document): Change | undefined {
  const { _id, ns, operationType, documentKey, clusterTime, wallTime, fullDocumentBeforeChange } = document;
  const kind = KINDS[String(operationType)];
  const documentId: unknown = fieldOf(documentKey, '_id');
  if (!kind || !isObjectId(documentId)) return undefined;
  const resumeToken = formatToken(connection, _id);
  const committed = {
    committedAt: wallTime instanceof Date ? wallTime.getTime() : null,
    clusterTime: String(clusterTime).replaceAll(/\D/g, '') || hashOf(resumeToken),
    resumeToken,
  };
  const collection: unknown = fieldOf(ns, 'coll');
  if (typeof collection === 'string' && collection !== model.collection)
    return { kind: 'reference', collection, documentId: documentId.toHexString(), ...committed };
  return {
    kind,
    appointmentId: documentId.toHexString(),
    companyId: id(fieldOf(fullDocumentBeforeChange, model.companyField)),
    ...committed,
  };
}

/** Identifies a change of a server that gives no cluster time. Otherwise all changes of an appointment would have one id. */
const hashOf = (resumeToken: string): string =>
  createHash('sha256').update(resumeToken).digest('hex').slice(0, 20);

const fieldOf = (value: unknown, name: string): unknown => (Object(value) as Record<string, unknown>)[name];

/** The stored form of a resume token. */
function formatToken(connection: Connection, token: unknown): string {
  return connection.base.mongo.BSON.EJSON.stringify(token);
}

/** @throws StreamEnded if it is no object: the driver ignores some values, and begins at the present without an error */
function parseToken(connection: Connection, token: string): object {
  let parsed: unknown;
  try {
    parsed = connection.base.mongo.BSON.EJSON.parse(token);
  } catch (cause) {
    throw new StreamEnded('token', { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new StreamEnded('token');
  return parsed;
}

/** MongoDB before version 6 does not know the option. */
const isAboutPreImages = (error: unknown): boolean =>
  error instanceof Error &&
  (error as { code?: unknown }).code !== UNAUTHORIZED &&
  error.message.includes('fullDocumentBeforeChange');

const isWrongToken = (code: number): boolean =>
  WRONG_TOKEN.has(code) || (code >= KEY_STRING.min && code <= KEY_STRING.max);

/** @param isOpening  the server has not accepted the token yet */
function explained(error: unknown, isOpening: boolean): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'number' || code === UNAUTHORIZED) return error;
  const reason = REASONS[code] ?? (isOpening && isWrongToken(code) ? 'token' : undefined);
  if (reason) return new StreamEnded(reason, { cause: error });
  const isUnsupported = WITHOUT_STREAMS.has(code) || /changeStream/i.test(String(message));
  return isUnsupported ? new NoChangeStreams({ cause: error }) : error;
}
