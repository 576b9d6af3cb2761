import { createWindowLimit } from './limits.ts';

/** What we use of Engine.IO's packets. */
export interface Packet {
  type: string;
  data?: unknown;
}

export interface PacketCheck {
  /** @returns whether a client of ours may send it */
  received: (packet: Packet) => boolean;
  /** Must be called with each packet that is sent: a refusal releases its namespace. */
  sent: (packet: Packet) => void;
}

/** First characters of Socket.IO's packets. */
const [CONNECT, DISCONNECT, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK] = ['0', '1', '4', '5', '6'];
/** CONNECTs of one connection in {@link WINDOW_MS}. A client may connect again, for example with a new token. */
const MAX_CONNECTS = 20;
const WINDOW_MS = 10_000;

/**
 * Checks the packets of one connection before Socket.IO decodes them. Socket.IO creates a socket for each CONNECT, also
 * for a second one to the same namespace while the first is in progress. It keeps all attachments of a binary event until
 * the last one arrives. Our clients send neither.
 */
export function createPacketCheck(): PacketCheck {
  /** Connected, or with a handshake in progress. */
  const namespaces = new Set<string>();
  const mayConnect = createWindowLimit(MAX_CONNECTS, WINDOW_MS);

  return {
    received({ type, data }) {
      if (type !== 'message') return true;
      if (typeof data !== 'string') return false;
      const first = data.charAt(0);
      if (first === BINARY_EVENT || first === BINARY_ACK) return false;
      const namespace = namespaceOf(data);
      if (first === DISCONNECT) namespaces.delete(namespace);
      if (first !== CONNECT) return true;
      if (namespaces.has(namespace) || !mayConnect()) return false;
      namespaces.add(namespace);
      return true;
    },
    sent({ data }) {
      if (typeof data !== 'string') return;
      const first = data.charAt(0);
      if (first === CONNECT_ERROR || first === DISCONNECT) namespaces.delete(namespaceOf(data));
    },
  };
}

/** As socket.io-parser reads it. */
function namespaceOf(text: string): string {
  if (text.charAt(1) !== '/') return '/';
  const end = text.indexOf(',');
  return text.slice(1, end < 0 ? undefined : end);
}
