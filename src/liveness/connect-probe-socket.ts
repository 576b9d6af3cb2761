import { io } from 'socket.io-client';
import { CANARY, CANARY_NAMESPACE } from '@appointment-emissions/contracts';

export interface ProbeSocketOptions {
  port: number;
  /** Only this process knows it. */
  secret: string;
  transports: ('polling' | 'websocket')[];
  onCanary: (canaryId: string) => void;
}

/** Connects a socket from this process to its own port, as a dashboard does. It reconnects by itself. */
export function connectProbeSocket({ port, secret, transports, onCanary }: ProbeSocketOptions): {
  close: () => void;
} {
  const socket = io(`http://127.0.0.1:${port}${CANARY_NAMESPACE}`, {
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
