import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import type {
  AppointmentSnapshot,
  DashboardAuth,
  DashboardClientEvents,
  DashboardServerEvents,
  StreamPosition,
  PositionUpdate,
  TokenReply,
} from '@appointment-emissions/contracts';
import { until } from '../harness/until.ts';
import { appointment, meta } from './appointment-fixture.ts';

type ServerSocket = Socket<DashboardClientEvents, DashboardServerEvents>;

/** A queue whose `next` resolves to the next item. */
function createMailbox<T>() {
  const arrived: T[] = [];
  const waiting: ((item: T) => void)[] = [];
  return {
    push(item: T): void {
      const waiter = waiting.shift();
      if (waiter) waiter(item);
      else arrived.push(item);
    },
    next: (): Promise<T> =>
      new Promise((resolve) => {
        const item = arrived.shift();
        if (item === undefined) waiting.push(resolve);
        else resolve(item);
      }),
    get size() {
      return arrived.length;
    },
  };
}

/** A catch-up that the dashboard has requested. */
interface CatchUpRequest {
  from: StreamPosition;
  reply: (position: PositionUpdate) => void;
}

/** A token that the dashboard has sent on its connection. */
interface TokenRequest {
  token: string;
  reply: (reply: TokenReply) => void;
}

/** A dashboard's connection, seen from the server. The test decides what the server sends. */
export interface ServerSide {
  auth: DashboardAuth;
  /** Sends an appointment event. By default the appointment's notes contain its offset and read. */
  send: (id: string, fields: Parameters<typeof meta>[0], appointment?: Partial<AppointmentSnapshot>) => void;
  sendPosition: (position: StreamPosition & Partial<PositionUpdate>) => void;
  sendPassed: (position: StreamPosition) => void;
  sendHeartbeat: (reads: boolean) => void;
  /** Sends anything. */
  raw: (event: string, ...args: unknown[]) => void;
  nextCatchUp: () => Promise<CatchUpRequest>;
  /** Replies to all further catch-ups. */
  replyToAll: (replyTo: (from: StreamPosition) => PositionUpdate) => void;
  nextToken: () => Promise<TokenRequest>;
  /** Number of catch-ups without a reply. */
  readonly openCatchUps: number;
  /** Closes the transport, as a network failure does. */
  cut: () => void;
  disconnect: () => void;
  ended: Promise<unknown>;
}

/** A Socket.IO server that sends only the events that the test sends. `onRequest` handles all other HTTP requests. */
export async function startScriptedServer(onRequest?: RequestListener) {
  const httpServer = createServer(onRequest);
  const io = new Server<DashboardClientEvents, DashboardServerEvents>(httpServer);
  const connections = createMailbox<ServerSide>();
  let refusals = 0;
  let refusal: { code: string } | undefined;
  let attempts = 0;

  io.use((_socket, next) => {
    attempts += 1;
    refusals -= 1;
    next(refusals >= 0 ? Object.assign(new Error('refused'), { data: refusal }) : undefined);
  });
  io.on('connection', (socket: ServerSocket) => {
    connections.push(serverSide(socket));
  });
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`,
    connection: () => until('a connection', connections.next()),
    refuseNext(times: number, data?: { code: string }): void {
      refusals = times;
      refusal = data;
    },
    get attempts() {
      return attempts;
    },
    close: () => io.close(),
  };
}

function serverSide(socket: ServerSocket): ServerSide {
  const catchUps = createMailbox<CatchUpRequest>();
  const tokens = createMailbox<TokenRequest>();
  let replyTo: ((from: StreamPosition) => PositionUpdate) | undefined;
  socket.on('emissions:catch-up', (from, reply) => {
    if (replyTo) reply(replyTo(from));
    else catchUps.push({ from, reply });
  });
  socket.on('emissions:token', ({ token }, reply) => {
    tokens.push({ token, reply });
  });
  return {
    auth: socket.handshake.auth as DashboardAuth,
    send(id, fields, given = { notes: `${fields.offset}.${fields.read ?? 0}` }) {
      const stamped = meta(fields);
      socket.emit(stamped.event, { appointment: appointment({ _id: id, ...given }) }, stamped);
    },
    sendPosition: (position) => socket.emit('emissions:position', { recovered: true, ...position }),
    sendPassed: (position) => socket.emit('emissions:passed', position),
    sendHeartbeat: (reads) => socket.emit('emissions:alive', { reads }),
    raw: (event, ...args) => (socket as Socket).emit(event, ...args),
    nextToken: () => until('a token', tokens.next()),
    nextCatchUp: () => until('a catch-up', catchUps.next()),
    replyToAll(given) {
      replyTo = given;
    },
    get openCatchUps() {
      return catchUps.size;
    },
    cut: () => {
      socket.conn.close();
    },
    disconnect: () => socket.disconnect(true),
    ended: new Promise((resolve) => socket.once('disconnect', resolve)),
  };
}
