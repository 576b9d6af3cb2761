import { jwtVerify } from 'jose';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { companyRoom } from '@appointment-emissions/contracts';

/** A straightforward first implementation: a valid token joins its company's room; events are sent to sockets one by one. */
const secret = new TextEncoder().encode(process.env['SOCKET_JWT_SECRET']);
const server = createServer();
const io = new Server(server);
io.use((socket, next) => {
  const { token } = socket.handshake.auth as { token: string };
  jwtVerify(token, secret).then(
    ({ payload }) => {
      void socket.join(companyRoom(String(payload['companyId'])));
      next();
    },
    () => {
      next(new Error('refused'));
    },
  );
});
process.on('message', ({ broadcast }: { broadcast?: string }) => {
  if (broadcast === undefined) return;
  const [event, ...args] = JSON.parse(broadcast) as [string, ...unknown[]];
  for (const socket of io.sockets.sockets.values()) socket.emit(event, ...args);
});
server.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
