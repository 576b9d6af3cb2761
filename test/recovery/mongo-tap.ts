import { mongo } from 'mongoose';
import { startTcpProxy } from './tcp-proxy.ts';

/** One `find` that was asked of MongoDB. */
export interface Find {
  collection: string;
  /** Ids asked for, where the filter names any. */
  ids: string[];
  /** As it was sent, without the driver's own fields: for `explain`. */
  command: mongo.Document;
}

const HEADER_BYTES = 16;
const OP_MSG = 2013;

/** A way to MongoDB that notes every `find`, whichever process asks. */
export async function startMongoTap(uri: string) {
  const finds: Find[] = [];
  const proxy = await startTcpProxy(Number(new URL(uri).port), () => {
    let rest: Buffer = Buffer.alloc(0);
    return (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
        const length = rest.readInt32LE(0);
        const find = toFind(rest.subarray(0, length));
        if (find) finds.push(find);
        rest = rest.subarray(length);
      }
    };
  });
  const tapped = new URL(uri);
  tapped.port = String(proxy.port);
  // Else the driver goes where the server says that it is, past us.
  tapped.searchParams.set('directConnection', 'true');
  return { uri: tapped.href, finds, close: proxy.close };
}

/** An OP_MSG is 4 bytes of flags, one of kind (0 for the command's document), and the document. */
function toFind(message: Buffer): Find | undefined {
  if (message.readInt32LE(12) !== OP_MSG || message[HEADER_BYTES + 4] !== 0) return undefined;
  const document = message.subarray(HEADER_BYTES + 5);
  const command = mongo.BSON.deserialize(document.subarray(0, document.readInt32LE(0)));
  if (typeof command['find'] !== 'string') return undefined;
  const wanted = (command['filter'] as { _id?: { $in?: unknown[] } } | undefined)?._id?.$in ?? [];
  const { find, filter, sort, projection, limit } = command;
  return {
    collection: command['find'],
    ids: wanted.map(String),
    command: { find, filter, sort, projection, limit },
  };
}
