import { createAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import type { Redis } from 'ioredis';
import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import { companyRoom } from '@appointment-emissions/contracts';

/** Of the sides that are not ours, so that their gateways do not hear us. */
const ADAPTER = { key: `of-${process.env['QUEUE_PREFIX'] ?? ''}` };

/** Socket.IO as one writes it first: who names a company is in its room. @param redis  where others publish */
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

/** Publishes for the rooms of other processes. */
export const emitterTo = (redis: Redis): Emitter => new Emitter(redis.duplicate(), ADAPTER);
