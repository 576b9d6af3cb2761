import { connect } from 'node:net';

const REPLY_WITHIN_MS = 1_000;
const OP_MSG = 2013;
/** BSON of `{ isWritablePrimary: true }`, without the frame: type, name, value. */
const IS_PRIMARY = Buffer.from('\x08isWritablePrimary\0\x01', 'latin1');

/**
 * Whether a MongoDB on this port of 127.0.0.1 answers `hello` as a writable primary. Uses the wire protocol directly: it
 * needs no driver, and leaves no connection pool behind.
 */
export function isMongoReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (isReady: boolean): void => {
      socket.destroy();
      resolve(isReady);
    };
    let reply = Buffer.alloc(0);
    socket.setTimeout(REPLY_WITHIN_MS, () => {
      end(false);
    });
    for (const event of ['error', 'close'])
      socket.once(event, () => {
        end(false);
      });
    socket.once('connect', () => socket.write(helloMessage()));
    socket.on('data', (chunk: Buffer) => {
      reply = Buffer.concat([reply, chunk]);
      if (reply.length >= 4 && reply.length >= reply.readInt32LE(0)) end(reply.includes(IS_PRIMARY));
    });
  });
}

/** OP_MSG with the one section `{ hello: 1, $db: 'admin' }`. */
function helloMessage(): Buffer {
  const fields = Buffer.from('\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0', 'latin1');
  const message = Buffer.alloc(16 + 4 + 1 + 4 + fields.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(1, 4); // request id
  message.writeInt32LE(OP_MSG, 12);
  message.writeInt32LE(4 + fields.length, 21); // after the flags and the section's kind, both zero
  fields.copy(message, 25);
  return message;
}
