import { randomUUID } from 'node:crypto';
import { companyRoom, type Id } from '@appointment-emissions/contracts';
import { findReadLink } from '../../domain/read-link.ts';
import type { ViewerScope } from '../../domain/scope.ts';
import type { Broadcast } from '../adapter/read-broadcast.ts';
import type { DashboardServer, DashboardSocket } from '../dashboard-server.ts';
import { createFormerFields } from './former-fields.ts';
import { createScopedCompany, type ScopedCompany } from './scoped-company.ts';
import { readEmission } from './scoped-emission.ts';

/**
 * The sockets of this gateway that may not see their whole company. They are in the company's room too, but each message for
 * that room excludes them, and they get their own form of it.
 */
export interface ScopedSockets {
  /** See `CheckedAdapterOptions`. For a company without scoped sockets it costs one look-up. */
  deliver: (broadcast: Broadcast) => readonly string[];
  /**
   * Sets the scope of a socket, which ends its former one at once; undefined for the whole company. Must be called before the
   * socket joins the room of its company.
   */
  setScope: (socket: DashboardSocket, scope: ViewerScope | undefined) => void;
  /** Withholds all emissions from a socket whose scope is not known yet. Returns the function that ends this. */
  withhold: (socket: DashboardSocket) => () => void;
  /** To be called when a replay and its position were sent to a socket. */
  caughtUp: (socket: DashboardSocket) => void;
  /** Accounts for the emissions so far, before a position is sent to a socket. */
  settle: (socket: DashboardSocket) => void;
}

/** Appointments of all companies with scoped sockets. Of one beyond them, the former scope is unknown. */
const MAX_FORMER = 20_000;

export function createScopedSockets(getIo: () => DashboardServer): ScopedSockets {
  /** By company. */
  const companies = new Map<Id, ScopedCompany>();
  const formerFields = createFormerFields(MAX_FORMER);
  /** Sockets whose end is noticed. A socket can have several scopes, one after the other. */
  const watched = new WeakSet<DashboardSocket>();
  const withheld = createWithheld();
  const prefix = companyRoom('');

  function leave(socket: DashboardSocket): void {
    const { companyId, scope } = socket.data.emissions;
    const company = scope && companies.get(companyId);
    if (!company) return;
    company.leave(socket);
    if (company.isEmpty()) companies.delete(companyId);
  }

  return {
    deliver([, { data }, { rooms, except = [] }]) {
      const excluded = withheld.rooms();
      const [room] = rooms;
      const companyId = room.slice(prefix.length);
      const company = room.startsWith(prefix) ? companies.get(companyId) : undefined;
      if (!company) return excluded;
      const emission = readEmission(data, companyId);
      if (emission) company.deliver(emission, findReadLink(except));
      return [...excluded, company.room];
    },

    setScope(socket, scope) {
      const { emissions } = socket.data;
      leave(socket);
      emissions.scope = scope;
      if (!scope) return;
      let company = companies.get(emissions.companyId);
      if (!company) {
        company = createScopedCompany(getIo(), formerFields);
        companies.set(emissions.companyId, company);
      }
      company.join(socket, scope);
      if (watched.has(socket)) return;
      watched.add(socket);
      socket.once('disconnect', () => {
        leave(socket);
      });
    },

    withhold: withheld.add,

    caughtUp(socket) {
      if (socket.data.emissions.scope) companies.get(socket.data.emissions.companyId)?.caughtUp(socket);
    },

    settle(socket) {
      if (socket.data.emissions.scope) companies.get(socket.data.emissions.companyId)?.settle(socket);
    },
  };
}

/** Sockets that must get nothing, in a room of which only this gateway knows the name. */
function createWithheld() {
  const room = `withheld:${randomUUID()}`;
  let count = 0;
  return {
    rooms: (): string[] => (count > 0 ? [room] : []),
    add: (socket: DashboardSocket): (() => void) => {
      count += 1;
      void socket.join(room);
      let isWithheld = true;
      const end = (): void => {
        if (!isWithheld) return;
        isWithheld = false;
        count -= 1;
        void socket.leave(room);
      };
      socket.once('disconnect', end);
      return end;
    },
  };
}
