import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import { jwtVerify } from 'jose';
import mongoose, { type Connection } from 'mongoose';
import { Server, type Socket } from 'socket.io';
import { io as connect, type Socket as ClientSocket } from 'socket.io-client';
import {
  type AttachOptions,
  authenticateInternalService,
  createEmissions,
  type Emissions,
  type EmissionsOptions,
  type ModelDescription,
} from '../../src/embedded/index.ts';
import { until } from '../harness/until.ts';
import { createWorld, JWT_SECRET, type World } from '../harness/world.ts';

/** The aliases have no types. */
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
  fields: object;
}

export interface ApplicationOptions extends Pick<Partial<EmissionsOptions>, 'redis'> {
  /** Changes the Socket.IO server before the pipeline is attached, for example its adapter. */
  prepare?: (io: Server) => Promise<void>;
  attach?: boolean;
  /** Describes the appointments, for example by mongoose models that it defines on the application's connection. */
  describeModel?: (connection: Connection) => ModelDescription;
  worker?: boolean;
  /** Of sockets and of lists. */
  scopeOf?: AttachOptions['scopeOf'];
  listScopeOf?: (request: IncomingMessage) => unknown;
}

/**
 * The application's own login: a token of `world.token(companyId)`, or `guest`, which has no company.
 * @throws Error if the token is neither
 */
async function logIn(token: unknown): Promise<{ companyId?: string }> {
  if (token === 'guest') return {};
  const { payload } = await jwtVerify(String(token), new TextEncoder().encode(JWT_SECRET)).catch(() => {
    throw new Error('not logged in');
  });
  return { companyId: String(payload['companyId']) };
}

/** The world of one test, with an appointment of a company. */
export async function createEmbeddedWorld() {
  const world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  const company = await world.documents.company();
  return { world, company, appointmentId: await company.appointment() };
}

export type Application = Awaited<ReturnType<typeof startApplication>>;

/** An application with its own Express, mongoose, Socket.IO, logins and logger, to which the pipeline is added. */
export async function startApplication(
  world: World,
  { express, mongoose }: Pair,
  {
    prepare = () => Promise.resolve(),
    attach = true,
    describeModel,
    worker = true,
    redis = world.env['REDIS_URL']!,
    scopeOf,
    listScopeOf,
  }: ApplicationOptions = {},
) {
  const lines: LogLine[] = [];
  const log =
    (level: LogLine['level']) =>
    (message: string, fields = {}) =>
      void lines.push({ level, message, fields });
  const connection = mongoose.createConnection(world.env['MONGODB_URI']!);
  await connection.asPromise();
  const app = express();
  const server = createServer(app);
  const io = new Server(server);
  await prepare(io);
  io.use((socket, next) => {
    logIn(socket.handshake.auth['token']).then((user) => {
      socket.data = { user };
      next();
    }, next);
  });
  io.on('connection', (socket: Socket) => {
    socket.on('file', (content: Buffer, acknowledge: (bytes: number) => void) => {
      acknowledge(content.length);
    });
  });

  const emissions: Emissions = createEmissions({
    connection,
    redis,
    ...(describeModel && { model: describeModel(connection) }),
    settings: world.env,
    logger: { info: log('info'), warning: log('warning'), error: log('error') },
  });
  world.keep(emissions, () => connection.close(true));
  world.keep(emissions, () => io.close());
  world.keep(emissions, emissions.close);
  app.use('/api/v1/internal', emissions.router);
  app.use(
    '/api/v1/dashboard',
    emissions.dashboardRouter({
      companyOf: async ({ headers: { authorization = '' } }: IncomingMessage) =>
        authorization === '' ? undefined : (await logIn(authorization.replace('Bearer ', ''))).companyId,
      ...(listScopeOf && { scopeOf: listScopeOf }),
    }),
  );
  app.use(emissions.adminRouter());
  app.use(express.json());
  const own: RequestHandler = (_req, res) => {
    res.json({ own: true });
  };
  app.get('/own', own);
  app.post('/api/v1/internal/own', own);
  app.get('/api/v1/dashboard/own', own);
  app.get('/api/v1/internal/reports', authenticateInternalService, own);
  const attachDashboards = () =>
    emissions.attach(io, {
      companyOf: (socket) => (socket.data as { user: { companyId?: string } }).user.companyId,
      ...(scopeOf && { scopeOf }),
    });
  if (attach) await attachDashboards();
  if (worker) emissions.startWorker();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    io,
    emissions,
    connection,
    lines,
    attach: attachDashboards,
    /** A plain client, and all events that it has received. @param through  the URL of a proxy */
    async client(auth: Record<string, unknown>, through = url) {
      const socket: ClientSocket = connect(through, { auth, forceNew: true, reconnectionDelayMax: 200 });
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
