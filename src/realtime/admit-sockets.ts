import { CATCH_UP_EVENT, type Id, TOKEN_EVENT } from '@appointment-emissions/contracts';
import type { ViewerScope } from '../domain/scope.ts';
import { toHexId } from '../domain/to-hex-id.ts';
import type { DashboardData, DashboardServer, DashboardSocket } from './dashboard-server.ts';
import { refuseTokens } from './renew-tokens.ts';
import type { ScopedSockets } from './scopes/scoped-sockets.ts';

/** Names the company of a socket that the application has authenticated: an id, or nothing if it is no dashboard. */
export type CompanyOf<Socket> = (socket: Socket) => unknown;

export interface AdmitSocketsDeps {
  io: DashboardServer;
  companyOf: CompanyOf<DashboardSocket>;
  /** Reads the scope of a socket. If it rejects, the socket gets nothing. Undefined: all sockets see their whole company. */
  scopeOf?: ((socket: DashboardSocket) => Promise<ViewerScope | undefined>) | undefined;
  /** Names the user of a socket, for disconnects by user. */
  userOf?: ((socket: DashboardSocket) => unknown) | undefined;
  scopedSockets: Pick<ScopedSockets, 'withhold'>;
  serve: (socket: DashboardSocket) => void;
  /** One of the functions failed, or `companyOf` returned something that is not an id. */
  onFault: (error: unknown) => void;
}

/**
 * Serves the sockets of an application's own Socket.IO server as dashboards. A socket gets positions, heartbeats and replays if
 * its handshake contains `position` or `positions: true`, as that of the dashboard library does, or from its first catch-up on.
 * Every other socket of the company gets the appointment events only.
 */
export function admitSockets(deps: AdmitSocketsDeps): { close: () => void } {
  const { io, scopeOf, scopedSockets, serve, onFault } = deps;

  async function admit(socket: DashboardSocket): Promise<void> {
    // The application may let the socket join its company's room before the scope is known.
    const endWithholding = scopeOf && scopedSockets.withhold(socket);
    const login = await readLogin(deps, socket);
    if (!socket.connected) return;
    if (login) {
      const { auth } = socket.handshake;
      const wantsPositions = auth['position'] !== undefined || auth['positions'] === true;
      socket.data.emissions = { ...login, share: socket.id, wantsPositions };
      serve(socket);
      refuseTokens(socket);
    }
    endWithholding?.();
  }
  const onConnection = (socket: DashboardSocket): void => {
    const admitted = admit(socket).catch(onFault);
    // Before it is served, the socket has no listener that would answer these events.
    socket.use(([event], next) => {
      if (event === CATCH_UP_EVENT || event === TOKEN_EVENT)
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

/** Undefined if the socket is no dashboard. */
async function readLogin(
  { companyOf, scopeOf, userOf }: AdmitSocketsDeps,
  socket: DashboardSocket,
): Promise<Pick<DashboardData, 'companyId' | 'scope' | 'userId'> | undefined> {
  const companyId = toCompanyId(await companyOf(socket));
  if (companyId === undefined) return undefined;
  const [scope, user] = await Promise.all([scopeOf?.(socket), userOf?.(socket)]);
  return { companyId, scope, userId: toUserId(user) };
}

function toUserId(given: unknown): string | undefined {
  if (given === undefined || given === null) return undefined;
  const id = typeof given === 'number' ? String(given) : (toHexId(given) ?? given);
  if (typeof id !== 'string') throw new Error('userOf did not return an id');
  return id;
}

/** @throws Error if it is neither an id nor nothing */
export function toCompanyId(given: unknown): Id | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  const id = toHexId(given);
  if (id === undefined) throw new Error('companyOf did not return an id');
  return id;
}
