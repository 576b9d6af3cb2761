import { Server } from 'socket.io';
import { verifyToken } from '../auth.js';

let io;

/** Each socket joins the room of its user's company. */
export function createSocketServer(server) {
  io = new Server(server);
  io.use((socket, next) => {
    verifyToken(socket.handshake.auth.token).then(
      (user) => {
        socket.data.user = user;
        next();
      },
      () => next(new Error('not signed in')),
    );
  });
  io.on('connection', (socket) => {
    const room = `company:${socket.data.user.companyId}`;
    socket.join(room);
    socket.on('presence', async (acknowledge) => {
      const sockets = await io.in(room).fetchSockets();
      acknowledge(new Set(sockets.map(({ data }) => data.user.userId)).size);
    });
  });
  return io;
}

export const getIo = () => io;
