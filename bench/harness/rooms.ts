import { createAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import type { Redis } from 'ioredis';
import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import { companyRoom } from '@appointment-emissions/contracts';

/** Adapter key of the contenders that are not ours: their gateways must not receive what our workers publish. */
const ADAPTER = { key: `of-${process.env['QUEUE_PREFIX'] ?? ''}` };

/**
 * A minimal Socket.IO gateway: a client joins the room of the company that it names in its handshake.
 * @param redis  needed if other processes publish to the rooms
 */
export function openRooms(server: HttpServer, redis?: Redis): Server {
  const io = new Server(server, {
    perMessageDeflate: false,
    ...(redis && { adapter: createAdapter(redis.duplicate(), redis.duplicate(), ADAPTER) }),
  });
  io.on('connection', (socket) => {
    void socket.join(companyRoom(String(socket.handshake.auth['companyId'])));
    socket.emit('emissions:position');
  });
  return io;
}

/** An emitter that reaches the rooms of gateways in other processes. */
export const emitterTo = (redis: Redis): Emitter => new Emitter(redis.duplicate(), ADAPTER);
