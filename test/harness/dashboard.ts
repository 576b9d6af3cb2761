import { SignJWT } from 'jose';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import {
  APPOINTMENT_EVENTS,
  type AppointmentEvent,
  type AppointmentPayload,
  type EmissionMeta,
  type StreamPosition,
  type PositionUpdate,
} from '@appointment-emissions/contracts';
import { until } from './until.ts';

export interface Received {
  event: AppointmentEvent;
  payload: AppointmentPayload;
  meta: EmissionMeta;
}

export interface Dashboard {
  socket: Socket;
  /** All events so far, in order. */
  received: Received[];
  positions: PositionUpdate[];
  /** Payloads of `emissions:passed`. */
  passed: StreamPosition[];
  /** Resolves to the first event that matches, also if it has already arrived. */
  receive: (fits: (received: Received) => boolean, what?: string, deadlineMs?: number) => Promise<Received>;
  close: () => void;
}

/** A JWT for a company's dashboard. @param claims  more of them, such as `scope` */
export function signToken(
  secret: string,
  companyId: string,
  lifetime: string | number = '5m',
  claims: Record<string, unknown> = {},
): Promise<string> {
  const token = new SignJWT({ companyId, ...claims }).setProtectedHeader({ alg: 'HS256' });
  const expiry = typeof lifetime === 'number' ? Math.floor(Date.now() / 1_000) + lifetime : lifetime;
  return token.setExpirationTime(expiry).sign(new TextEncoder().encode(secret));
}

export interface DashboardOptions {
  url: string;
  token: string;
  position?: StreamPosition;
  socketOptions?: Partial<ManagerOptions & SocketOptions>;
}

/** Connects a plain socket.io-client with default options. Resolves when the gateway has sent its position. */
export async function openDashboard({
  url,
  token,
  position,
  socketOptions,
}: DashboardOptions): Promise<Dashboard> {
  const received: Received[] = [];
  const positions: PositionUpdate[] = [];
  const passed: StreamPosition[] = [];
  const waiting = new Set<() => void>();
  const socket = io(url, {
    forceNew: true,
    auth: { token, ...(position && { position }) },
    ...socketOptions,
  });
  for (const event of APPOINTMENT_EVENTS) {
    socket.on(event, (payload: AppointmentPayload, meta: EmissionMeta) => {
      received.push({ event, payload, meta });
      for (const check of waiting) check();
    });
  }
  socket.on('emissions:position', (update: PositionUpdate) => positions.push(update));
  socket.on('emissions:passed', (position: StreamPosition) => passed.push(position));
  const close = () => void socket.close();

  const positioned = new Promise<void>((resolve, reject) => {
    socket.once('emissions:position', () => {
      resolve();
    });
    socket.once('connect_error', reject);
  });
  try {
    await until('the dashboard to receive its position', positioned);
  } catch (error) {
    close();
    throw error;
  }

  function receive(
    fits: (received: Received) => boolean,
    what = 'an emission',
    deadlineMs?: number,
  ): Promise<Received> {
    let check: () => void = () => undefined;
    const found = new Promise<Received>((resolve) => {
      check = () => {
        const match = received.find(fits);
        if (match) resolve(match);
      };
      waiting.add(check);
      check();
    });
    return until(what, found, deadlineMs).finally(() => waiting.delete(check));
  }

  return { socket, received, positions, passed, receive, close };
}
