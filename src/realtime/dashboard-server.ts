import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Server, Socket } from 'socket.io';
import type {
  DashboardClientEvents,
  DashboardServerEvents,
  StreamPosition,
} from '@appointment-emissions/contracts';
import type { Viewer } from '../access/verify-token.ts';
import { chunks } from '../batching.ts';

/** In one property, since the sockets of an existing application have data of their own. */
export interface SocketData {
  emissions: DashboardData;
}

/** What the gateway knows about a dashboard. */
export interface DashboardData extends Pick<Viewer, 'companyId' | 'share' | 'userId' | 'scope'> {
  /** Whether it gets positions, heartbeats and replays besides the appointment events. */
  wantsPositions: boolean;
  /** Milliseconds since 1970: when its token expires. Missing if the application authenticates its sockets itself. */
  expiresAt?: number;
  /** Why this process is about to disconnect it, if it has a reason of its own. */
  disconnectedBy?: 'token expired' | 'operator';
  /** The last position that was sent after a replay. Undefined until its first replay and position were sent. */
  caughtUpTo?: StreamPosition;
}

/** False for the other sockets of an application, which may be in a company's room too. */
export function isDashboard({ data }: { data: Partial<SocketData> }): boolean {
  return data.emissions !== undefined;
}

export type DashboardServer = Server<
  DashboardClientEvents,
  DashboardServerEvents,
  Record<string, never>,
  SocketData
>;

export type DashboardSocket = Socket<
  DashboardClientEvents,
  DashboardServerEvents,
  Record<string, never>,
  SocketData
>;

/** Sockets of one part. Writing to them takes a few milliseconds. */
export const SOCKETS_PER_PART = 500;

/** Sends an event to sockets of this process, encoded once for a part of them. Between the parts, other work is done. */
export async function sendInParts(
  io: DashboardServer,
  sockets: readonly DashboardSocket[],
  send: (part: DashboardServer['local']) => void,
): Promise<void> {
  for (const part of chunks(sockets, SOCKETS_PER_PART)) {
    send(io.local.to(part.map(({ id }) => id)));
    await nextTurn();
  }
}
