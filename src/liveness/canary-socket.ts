import { timingSafeEqual } from 'node:crypto';
import type { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { CANARY, CANARY_NAMESPACE, canaryRoom } from '@appointment-emissions/contracts';

/** The `/canary` namespace, for this process' own socket only. */
export function attachCanaryNamespace({
  io,
  gatewayId,
  secret,
}: {
  io: Server;
  gatewayId: string;
  secret: string;
}): void {
  const namespace = io.of(CANARY_NAMESPACE);
  const expected = Buffer.from(secret);
  namespace.use((socket, next) => {
    const { secret: given } = socket.handshake.auth as { secret?: unknown };
    const bytes = Buffer.from(typeof given === 'string' ? given : '');
    next(
      bytes.length === expected.length && timingSafeEqual(bytes, expected)
        ? undefined
        : new Error('TOKEN_INVALID'),
    );
  });
  namespace.on('connection', (socket) => {
    void socket.join(canaryRoom(gatewayId));
  });
}

export interface ProbeSocketOptions {
  port: number;
  /** Random; never leaves this process. */
  secret: string;
  transports: ('polling' | 'websocket')[];
  onCanary: (canaryId: string) => void;
}

/** Connects a socket from this process to its own port, as a dashboard does. It reconnects by itself. */
export function connectProbeSocket({ port, secret, transports, onCanary }: ProbeSocketOptions): {
  close: () => void;
} {
  const socket = connect(`http://127.0.0.1:${port}${CANARY_NAMESPACE}`, {
    auth: { secret },
    transports: transports.includes('websocket') ? ['websocket'] : transports,
    reconnectionDelayMax: 2_000,
    forceNew: true,
  });
  // It came through Redis, so it can have any shape.
  socket.on(CANARY, (canary: { canaryId?: unknown } | null | undefined) => {
    if (typeof canary?.canaryId === 'string') onCanary(canary.canaryId);
  });
  return {
    close: () => {
      socket.disconnect();
    },
  };
}
