import { companyRoom, DASHBOARD_NAMESPACE } from '@appointment-emissions/contracts';
import type { CompanyTurns } from '../../access/company-turns.ts';
import { chunks } from '../../batching.ts';
import type { ReportDamage } from '../../process/damaged-data.ts';
import type { Broadcast } from './read-broadcast.ts';
import { type DashboardServer, type DashboardSocket, isDashboard } from '../dashboard-server.ts';

/**
 * Writes a message for a company with many dashboards in pieces, in turn with other companies.
 * @param except  rooms whose sockets must not get it
 * @returns false if the company has few dashboards: the adapter then writes the message to all of them at once
 */
export type DeliverInPieces = (message: Broadcast, except: readonly string[]) => boolean;

const SOCKETS_PER_PIECE = 500;
/**
 * Of one company. Beyond them each message first writes older pieces, so that a company whose events arrive faster than they are
 * written does not fill the memory: the gateway then reads less from Redis.
 */
const MAX_UNWRITTEN = 100;

export interface DeliverInPiecesDeps {
  getIo: () => DashboardServer;
  turns: Pick<CompanyTurns, 'piece' | 'runNextMessage' | 'delivered'>;
  reportDamage: ReportDamage;
}

export function createDeliverInPieces({ getIo, turns, reportDamage }: DeliverInPiecesDeps): DeliverInPieces {
  const prefix = companyRoom('');
  /** Pieces that are not written yet, by room. Later messages must not overtake them. */
  const unwritten = new Map<string, number>();

  return ([, { data }, { rooms }], except) => {
    const io = getIo();
    const { adapter, sockets } = io.of(DASHBOARD_NAMESPACE);
    const [room] = rooms;
    const members = adapter.rooms.get(room);
    if (!members || !room.startsWith(prefix)) return false;
    const companyId = room.slice(prefix.length);
    turns.delivered(companyId);
    if (members.size <= SOCKETS_PER_PIECE && !unwritten.has(room)) return false;
    while ((unwritten.get(room) ?? 0) > MAX_UNWRITTEN && turns.runNextMessage(companyId));
    const excluded = new Set(except.flatMap((name) => [...(adapter.rooms.get(name) ?? [])]));
    const ids = [...members].filter((id) => !excluded.has(id));
    for (const piece of chunks(ids, SOCKETS_PER_PIECE)) {
      unwritten.set(room, (unwritten.get(room) ?? 0) + 1);
      const write = (): void => {
        const left = (unwritten.get(room) ?? 1) - 1;
        if (left > 0) unwritten.set(room, left);
        else unwritten.delete(room);
        // Since the message was split, an application may have removed a socket from the room. A socket that got a scope must not
        // see the whole message: it reloads.
        const present = adapter.rooms.get(room);
        const recipients = piece.filter((id) => present?.has(id) && !hasScope(sockets.get(id)));
        if (recipients.length === 0) return;
        const operator: { emit: (...packet: never[]) => unknown } = io.local.to(recipients);
        // Checked when it was decoded: the name of an event, then its arguments.
        operator.emit(...(data as unknown[] as never[]));
      };
      turns.piece('message', companyId, write).catch(() => {
        // The message was decoded, but cannot be encoded for the sockets.
        reportDamage('message');
      });
    }
    return true;
  };
}

function hasScope(socket: DashboardSocket | undefined): boolean {
  return socket !== undefined && isDashboard(socket) && socket.data.emissions.scope !== undefined;
}
