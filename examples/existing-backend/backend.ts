/**
 * An Express and Socket.IO backend that was there before, with its own logins, routes and events. Lines marked + are
 * what it takes to deliver the pipeline's events to the dashboards that it already serves. See README.md beside it.
 */
import { createAdapter } from '@socket.io/redis-adapter'; // +
import express from 'express';
import { Redis } from 'ioredis'; // +
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { companyRoom } from '@appointment-emissions/contracts';

/** Its logins, as it always had them: session → company. */
const SESSIONS = new Map(Object.entries(JSON.parse(process.env.SESSIONS ?? '{}') as Record<string, string>));

const app = express();
app.get('/api/company', (req, res) => {
  const companyId = SESSIONS.get(req.get('x-session') ?? '');
  res.status(companyId === undefined ? 401 : 200).json({ companyId });
});

const redis = new Redis(process.env.REDIS_URL ?? 'redis://localhost:6379', { replyMapping: 'legacy' }); // +
const subscriber = redis.duplicate(); // +
const http = createServer(app);
const io = new Server(http, {
  adapter: createAdapter(redis, subscriber, {
    key: process.env.SOCKET_ADAPTER_KEY ?? 'socket.io:0:{emissions}',
  }), // +
});
io.use((socket, next) => {
  const companyId = SESSIONS.get(String(socket.handshake.auth.session));
  socket.data = { companyId };
  next(companyId === undefined ? new Error('not logged in') : undefined);
});
io.on('connection', async (socket) => {
  socket.on('presence', (acknowledge: (online: number) => void) => {
    acknowledge(io.of('/').sockets.size);
  });
  await socket.join(companyRoom((socket.data as { companyId: string }).companyId)); // + by its own login, never by what a client asks for
  socket.emit('welcome');
});

http.listen(Number(process.env.PORT ?? 4000), () => {
  console.log(`listening on http://localhost:${(http.address() as AddressInfo).port}`);
});
