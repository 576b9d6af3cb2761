/**
 * An existing Express and Socket.IO backend with its own sessions, routes and events. The lines marked + are the additions
 * that deliver the events of a stand-alone API to its dashboards. See docs/guides/existing-backend.md.
 */
import { createAdapter } from '@socket.io/redis-adapter'; // +
import express from 'express';
import { Redis } from 'ioredis'; // +
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { companyRoom } from '@appointment-emissions/contracts';

/** The backend's own sessions: session id → company id. */
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
  await socket.join(companyRoom((socket.data as { companyId: string }).companyId)); // + the room comes from the session, never from the client
  socket.emit('welcome');
});

http.listen(Number(process.env.PORT ?? 4000), () => {
  console.log(`listening on http://localhost:${(http.address() as AddressInfo).port}`);
});
