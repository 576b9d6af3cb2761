import { createWindow } from './window.ts';

/** What we use of Engine.IO's packets. */
export interface Packet {
  type: string;
  data?: unknown;
}

export interface PacketCheck {
  /** @returns whether a client of ours may send it */
  received: (packet: Packet) => boolean;
  /** To be called with what is sent: a refusal frees its namespace. */
  sent: (packet: Packet) => void;
}

/** First characters of Socket.IO's packets. */
const [CONNECT, DISCONNECT, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK] = ['0', '1', '4', '5', '6'];
/** Namespaces that a client may connect to again and again, such as with a new token, in {@link WINDOW_MS}. */
const MAX_CONNECTS = 20;
const WINDOW_MS = 10_000;

/**
 * Checks the packets of one connection before Socket.IO decodes them. Socket.IO makes one socket for each CONNECT, also
 * for the second one to a namespace while the first is being checked; and keeps all attachments of a binary event until
 * the last one has come. No client of ours sends either.
 */
export function createPacketCheck(): PacketCheck {
  /** Connected, or being checked. */
  const namespaces = new Set<string>();
  const mayConnect = createWindow(MAX_CONNECTS, WINDOW_MS);

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
