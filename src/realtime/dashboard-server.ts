import type { Server, Socket } from 'socket.io';
import type { DashboardClientEvents, DashboardServerEvents } from '@appointment-emissions/contracts';
import type { Viewer } from '../access/verify-token.ts';

/** In one property, since the sockets of an existing application have data of their own. */
export interface SocketData {
  emissions: DashboardData;
}

/** What the gateway knows about a dashboard. */
export interface DashboardData extends Pick<Viewer, 'companyId' | 'share'> {
  /** Whether it gets positions, heartbeats and replays besides the appointment events. */
  wantsPositions: boolean;
  /** Milliseconds since 1970: when its token expires. Missing if the application authenticates its sockets itself. */
  expiresAt?: number;
  /** Set when its first replay and position were sent. */
  isCaughtUp?: boolean;
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
