import { CATCH_UP_EVENT, type Id } from '@appointment-emissions/contracts';
import { toHexId } from '../domain/to-hex-id.ts';
import type { DashboardServer, DashboardSocket } from './dashboard-server.ts';

/** Names the company of a socket that the application has authenticated: an id, or nothing if it is no dashboard. */
export type CompanyOf<Socket> = (socket: Socket) => unknown;

export interface AdmitSocketsDeps {
  io: DashboardServer;
  companyOf: CompanyOf<DashboardSocket>;
  serve: (socket: DashboardSocket) => void;
  /** `companyOf` failed, or returned something that is not an id. */
  onFault: (error: unknown) => void;
}

/**
 * Serves the sockets of an application's own Socket.IO server as dashboards. A socket gets positions, heartbeats and replays if
 * its handshake contains `position` or `positions: true`, as that of the dashboard library does, or from its first catch-up on.
 * Every other socket of the company gets the appointment events only.
 */
export function admitSockets({ io, companyOf, serve, onFault }: AdmitSocketsDeps): { close: () => void } {
  async function admit(socket: DashboardSocket): Promise<void> {
    const companyId = toCompanyId(await companyOf(socket));
    if (companyId === undefined || !socket.connected) return;
    const { auth } = socket.handshake;
    const wantsPositions = auth['position'] !== undefined || auth['positions'] === true;
    socket.data.emissions = { companyId, share: socket.id, wantsPositions };
    serve(socket);
  }
  const onConnection = (socket: DashboardSocket): void => {
    const admitted = admit(socket).catch(onFault);
    // Before it is served, the socket has no listener that would answer a catch-up.
    socket.use(([event], next) => {
      if (event === CATCH_UP_EVENT)
        void admitted.then(() => {
          next();
        });
      else next();
    });
  };
  io.on('connection', onConnection);
  return {
    close() {
      io.off('connection', onConnection);
    },
  };
}

/** @throws Error if it is neither an id nor nothing */
export function toCompanyId(given: unknown): Id | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  const id = toHexId(given);
  if (id === undefined) throw new Error('companyOf returned something that is not an id');
  return id;
}
