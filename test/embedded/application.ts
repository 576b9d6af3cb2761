import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import express from 'express';
import mongoose from 'mongoose';
import { Server, type Socket } from 'socket.io';
import { io as connect, type Socket as ClientSocket } from 'socket.io-client';
import { createEmissions, type Emissions, type EmissionsOptions } from '../../src/embedded/index.ts';
import { until } from '../harness/until.ts';
import type { World } from '../harness/world.ts';

/** The aliases have no types of their own. */
const load = createRequire(import.meta.url);

/** The versions that an application may have, in two pairs. */
export const PAIRS = [
  { name: 'Express 5 and mongoose 9', express, mongoose },
  {
    name: 'Express 4 and mongoose 8',
    express: load('express-4') as typeof express,
    mongoose: load('mongoose-8') as typeof mongoose,
  },
] as const;
export type Pair = (typeof PAIRS)[number];

export interface LogLine {
  level: 'info' | 'warning' | 'error';
  message: string;
}

export interface ApplicationOptions extends Pick<Partial<EmissionsOptions>, 'settings' | 'redis'> {
  /** Changes the Socket.IO server before the pipeline is attached, for example its adapter. */
  prepare?: (io: Server) => Promise<void>;
  worker?: boolean;
}

export type Application = Awaited<ReturnType<typeof startApplication>>;

/**
 * An application with its own Express, mongoose, Socket.IO, logins and logger, to which the pipeline is added. A client logs in
 * with `auth: {token: 'login of <companyId>'}`, or as `guest`, without a company.
 */
export async function startApplication(
  world: World,
  { express, mongoose }: Pair,
  {
    prepare = () => Promise.resolve(),
    worker = true,
    settings = {},
    redis = world.env['REDIS_URL']!,
  }: ApplicationOptions = {},
) {
  const lines: LogLine[] = [];
  const log = (level: LogLine['level']) => (message: string) => void lines.push({ level, message });
  const connection = mongoose.createConnection(world.env['MONGODB_URI']!);
  await connection.asPromise();
  const app = express();
  const server = createServer(app);
  const io = new Server(server);
  await prepare(io);
  io.use((socket, next) => {
    const token: unknown = socket.handshake.auth['token'];
    const [, companyId] = /^login of ([0-9a-f]{24})$/.exec(String(token)) ?? [];
    socket.data = { user: { companyId } };
    if (companyId !== undefined || token === 'guest') next();
    else next(new Error('not logged in'));
  });
  io.on('connection', (socket: Socket) => {
    socket.on('file', (content: Buffer, acknowledge: (bytes: number) => void) => {
      acknowledge(content.length);
    });
  });

  const emissions: Emissions = createEmissions({
    connection,
    redis,
    settings: { ...world.env, ...settings },
    logger: { info: log('info'), warning: log('warning'), error: log('error') },
  });
  world.keep(emissions, () => connection.close(true));
  world.keep(emissions, () => io.close());
  world.keep(emissions, emissions.close);
  app.use('/api/v1/internal', emissions.router);
  app.use(express.json());
  app.get('/own', (_req, res) => {
    res.json({ own: true });
  });
  await emissions.attach(io, {
    companyOf: (socket) => (socket.data as { user: { companyId?: string } }).user.companyId,
  });
  if (worker) emissions.startWorker();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    io,
    emissions,
    connection,
    lines,
    /** A plain client, and all events that it has received. */
    async client(auth: Record<string, unknown>) {
      const socket: ClientSocket = connect(url, { auth, forceNew: true });
      world.keep(socket, () => socket.close());
      const received: { event: string; args: unknown[] }[] = [];
      socket.onAny((event: string, ...args: unknown[]) => void received.push({ event, args }));
      await until(
        'the client to connect',
        new Promise<void>((resolve, reject) => {
          socket.once('connect', resolve);
          socket.once('connect_error', reject);
        }),
      );
      return { socket, received, names: () => received.map(({ event }) => event) };
    },
  };
}
