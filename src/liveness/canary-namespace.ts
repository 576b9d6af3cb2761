import { timingSafeEqual } from 'node:crypto';
import type { Server } from 'socket.io';
import { CANARY_NAMESPACE, canaryRoom } from '@appointment-emissions/contracts';

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
