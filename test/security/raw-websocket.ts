import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { until } from '../harness/until.ts';

export interface RawFrame {
  /** 1 text, 2 binary, 8 close, 9 ping; others are invalid or unused. */
  opcode: number;
  payload: Buffer;
  isFinal?: boolean;
  isMasked?: boolean;
  /** Reserved bits: none is negotiated. */
  reserved?: number;
  /** The length that the frame's header declares. */
  declaredLength?: number;
}

/** One frame as RFC 6455 lays it out, with all its lies. */
export function encodeFrame(frame: RawFrame): Buffer {
  const { opcode, payload, isFinal = true, isMasked = true, reserved = 0 } = frame;
  const length = frame.declaredLength ?? payload.length;
  const masked = isMasked ? 0x80 : 0;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (isFinal ? 0x80 : 0) | ((reserved & 7) << 4) | (opcode & 15);
  head[1] = masked | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  const hidden = Buffer.from(payload.map((byte, index) => byte ^ mask[index % 4]!));
  return Buffer.concat([head, mask, hidden]);
}

const PING = encodeFrame({ opcode: 9, payload: Buffer.from('still there?') });
/** The header of a close frame, with a reason or without. The server then waits for the client's. */
const CLOSES = [Buffer.from([0x88, 0x02]), Buffer.from([0x88, 0x00])];
/** Servers do not mask. */
const PONG = Buffer.from('\x8a\x0cstill there?', 'latin1');

/** A WebSocket to the gateway without a library: it sends exactly the given bytes. */
export async function openRawWebSocket(url: string) {
  const { port } = new URL(url);
  let received = Buffer.alloc(0);
  let look: () => void = () => undefined;
  const socket: Socket = connect(Number(port), 'localhost');
  let isClosed = false;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
    look();
  });
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    look();
  });
  const seen = (what: string, ...any: (Buffer | string)[]): Promise<'seen' | 'closed'> =>
    until(
      what,
      new Promise((resolve) => {
        look = () => {
          if (any.some((bytes) => received.includes(bytes))) resolve('seen');
          else if (isClosed || CLOSES.some((bytes) => received.includes(bytes))) resolve('closed');
        };
        look();
      }),
    );
  const sendText = (text: string): void =>
    void socket.write(encodeFrame({ opcode: 1, payload: Buffer.from(text) }));
  socket.write(
    [
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
      `Host: localhost:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n',
    ].join('\r\n'),
  );
  await seen('the WebSocket to open', '"sid"');
  return {
    send: (...frames: Buffer[]) => void socket.write(Buffer.concat(frames)),
    /**
     * Joins a namespace. Resolves when the gateway has answered, or the connection has ended; to true if it was admitted. An event
     * before that ends it.
     */
    async join(namespace: '' | '/internal,', auth: unknown): Promise<boolean> {
      sendText(`40${namespace}${JSON.stringify(auth)}`);
      const joined = namespace === '' ? '42["emissions:position"' : `40${namespace}`;
      await seen('an answer to the handshake', joined, `44${namespace}{`);
      return received.includes(joined);
    },
    /** Sends a packet. Resolves when bytes with `answer` have arrived, or the connection has ended. */
    async request(packet: string, answer: string): Promise<'answered' | 'closed'> {
      sendText(packet);
      return (await seen(`an answer ${answer}`, answer)) === 'seen' ? 'answered' : 'closed';
    },
    /** Resolves when all that was sent has been taken, or the connection has ended. */
    async settled(): Promise<'open' | 'closed'> {
      if (CLOSES.some((bytes) => received.includes(bytes))) return 'closed';
      received = Buffer.alloc(0);
      socket.write(PING);
      return (await seen('a pong, or the end', PONG)) === 'seen' ? 'open' : 'closed';
    },
    close: () => void socket.destroy(),
  };
}
