import { mongo } from 'mongoose';
import { startTcpProxy, throughProxy } from './tcp-proxy.ts';

/** One `find`, or an aggregation, that MongoDB received. */
export interface Find {
  collection: string;
  /** The ids in the filter; empty if it names none. */
  ids: string[];
  /** As it was sent, without the fields that the driver adds: for `explain`. */
  command: mongo.Document;
}

const HEADER_BYTES = 16;
const OP_QUERY = 2004;
const OP_MSG = 2013;

export type MongoTap = Awaited<ReturnType<typeof startMongoTap>>;

/** Starts a proxy for MongoDB that records the commands of every process that uses it, and that can be interrupted. */
export async function startMongoTap(uri: string) {
  const finds: Find[] = [];
  const commands = new Set<string>();
  const proxy = await startTcpProxy(Number(new URL(uri).port), () => {
    let rest: Buffer = Buffer.alloc(0);
    return (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
        const length = rest.readInt32LE(0);
        const command = toCommand(rest.subarray(0, length));
        commands.add(nameOf(command));
        if (typeof (command['find'] ?? command['aggregate']) === 'string') finds.push(toFind(command));
        rest = rest.subarray(length);
      }
    };
  });
  return {
    uri: throughProxy(uri, proxy.port),
    finds,
    /** The names of all commands so far; a pipeline that writes has the name of that stage. */
    commands,
    refuse: proxy.refuse,
    mend: proxy.mend,
    close: proxy.close,
  };
}

/**
 * An OP_MSG is 4 bytes of flags, one of kind (0 for the command's document), and the document; an OP_QUERY, which opens a
 * connection, 4 bytes of flags, a collection's name that ends with 0, 8 bytes and the document.
 */
function toCommand(message: Buffer): mongo.Document {
  const code = message.readInt32LE(12);
  const body = message.subarray(HEADER_BYTES + 4);
  const isMessage = code === OP_MSG && body[0] === 0;
  if (!isMessage && code !== OP_QUERY) return { [`message ${code}`]: 1 };
  const document = body.subarray(isMessage ? 1 : body.indexOf(0) + 9);
  return mongo.BSON.deserialize(document.subarray(0, document.readInt32LE(0)));
}

function nameOf(command: mongo.Document): string {
  const stages = (command['pipeline'] ?? []) as mongo.Document[];
  const writing = stages.flatMap(Object.keys).find((stage) => stage === '$out' || stage === '$merge');
  return writing ?? Object.keys(command)[0] ?? '';
}

function toFind(document: mongo.Document): Find {
  const { find, aggregate, pipeline, filter, sort, projection, limit } = document;
  const match = (filter ?? (pipeline as mongo.Document[] | undefined)?.[0]?.['$match']) as
    { _id?: { $in?: unknown[] } } | undefined;
  const ids = match?._id?.$in ?? [];
  return {
    collection: String(find ?? aggregate),
    ids: ids.map(String),
    command: { find, filter, sort, projection, limit },
  };
}
