import { mongo } from 'mongoose';
import type { Intercept } from '../../test/resilience/proxy.ts';

const HEADER_BYTES = 16;
const OP_MSG = 2013;
/** Commands that a secondary answers too. */
const ANSWERED = new Set([
  'hello',
  'ismaster',
  'isMaster',
  'ping',
  'endSessions',
  'buildInfo',
  'killCursors',
]);
const REFUSAL = { ok: 0, errmsg: 'not primary', code: 10_107, codeName: 'NotWritablePrimary' };

/** While `state.isSecondary` is true, answers commands itself, as a server that is no longer primary does. */
export function refuseAsSecondary(state: { isSecondary: boolean }): Intercept {
  let rest: Buffer = Buffer.alloc(0);
  return (sent) => {
    rest = Buffer.concat([rest, sent]);
    const [pass, answer]: [Buffer[], Buffer[]] = [[], []];
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      const message = rest.subarray(0, length);
      if (state.isSecondary && !ANSWERED.has(commandOf(message) ?? 'hello')) answer.push(refusalOf(message));
      else pass.push(message);
      rest = rest.subarray(length);
    }
    return { pass: Buffer.concat(pass), answer: Buffer.concat(answer) };
  };
}

/** An OP_MSG body has 4 bytes of flags, one byte for the section kind (0: the command's document), and the document. */
function commandOf(message: Buffer): string | undefined {
  if (message.readInt32LE(12) !== OP_MSG || message[HEADER_BYTES + 4] !== 0) return undefined;
  const document = message.subarray(HEADER_BYTES + 5);
  return Object.keys(mongo.BSON.deserialize(document.subarray(0, document.readInt32LE(0))))[0];
}

function refusalOf(message: Buffer): Buffer {
  const document = mongo.BSON.serialize(REFUSAL);
  const head = Buffer.alloc(HEADER_BYTES + 5);
  head.writeInt32LE(head.length + document.length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8); // responseTo
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, document]);
}
