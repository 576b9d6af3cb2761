import { randomUUID } from 'node:crypto';
import type { StreamPosition } from '@appointment-emissions/contracts';
import type { ReadLink } from '../../domain/read-link.ts';
import { isInScope, type ScopeFields, type ViewerScope } from '../../domain/scope.ts';
import type { DashboardServer, DashboardSocket } from '../dashboard-server.ts';
import type { FormerFields } from './former-fields.ts';
import { createScopeGroup, emitTo, type ScopeGroup } from './scope-group.ts';
import { isVisible, removalOf, renderFor, type ScopedEmission } from './scoped-emission.ts';

/** Sockets with a scope of one company on this gateway. */
export interface ScopedCompany {
  /** All of them are in this room. */
  room: string;
  isEmpty: () => boolean;
  join: (socket: DashboardSocket, scope: ViewerScope) => void;
  leave: (socket: DashboardSocket) => void;
  /** Sends one published emission to each socket that it concerns. */
  deliver: (emission: ScopedEmission, link: ReadLink | undefined) => void;
  /** To be called when a replay and its position were sent. */
  caughtUp: (socket: DashboardSocket) => void;
  /** Accounts for all emissions so far. */
  settle: (socket: DashboardSocket) => void;
}

/**
 * Sends live emissions to sockets with a scope. Each event is encoded once per distinct scope.
 *
 * | the snapshot is | and the snapshot before it was | the sockets of the scope get                           |
 * | --------------- | ------------------------------ | ------------------------------------------------------ |
 * | in scope        | anything                       | the event, without hidden fields                       |
 * | out of scope    | in scope, or is unknown        | `appointment:deleted`, reason `out-of-scope`           |
 * | out of scope    | out of scope                   | `emissions:passed` within a second, at most once in it |
 */
export function createScopedCompany(io: DashboardServer, formerFields: FormerFields): ScopedCompany {
  const room = `scoped:${randomUUID()}`;
  /** By the id of the scope. */
  const groups = new Map<string, ScopeGroup>();
  const received = createReceivedRun();
  const isComplete = ({ data }: DashboardSocket): boolean => received.continues(data.emissions.caughtUpTo);
  const groupOf = ({ data }: DashboardSocket) => groups.get(data.emissions.scope?.id ?? '');

  return {
    room,
    isEmpty: () => groups.size === 0,

    join(socket, scope) {
      const group = groups.get(scope.id) ?? createScopeGroup(io, scope);
      groups.set(scope.id, group);
      void socket.join(room);
      group.add(socket);
    },

    leave(socket) {
      const group = groupOf(socket);
      if (!group) return;
      void socket.leave(room);
      group.remove(socket);
      if (group.isEmpty()) groups.delete(group.scope.id);
    },

    deliver(emission, link) {
      const { meta, payload, fields } = emission;
      if (!received.isNext(meta)) {
        // Before the gap, nothing was missed.
        for (const { settle } of groups.values()) settle();
        received.restart(meta);
        for (const { findBehind } of groups.values()) findBehind(isComplete);
      }
      received.extend(meta);
      const former = formerFields.replace(payload.appointment._id, { epoch: meta.epoch, link, fields });
      send(io, groups.values(), emission, former);
    },

    caughtUp(socket) {
      if (isComplete(socket)) groupOf(socket)?.caughtUp(socket);
    },

    settle(socket) {
      groupOf(socket)?.settle();
    },
  };
}

/** @param former  the fields of the snapshot before; undefined if they are unknown */
function send(
  io: DashboardServer,
  groups: Iterable<ScopeGroup>,
  emission: ScopedEmission,
  former: ScopeFields | null | undefined,
): void {
  const removal = removalOf(emission);
  const roomsToRemoveIn: string[] = [];
  for (const group of groups) {
    if (isVisible(emission, group.scope)) {
      group.settle();
      emitTo(io, [group.room], renderFor(emission, group.scope));
    } else if (wasOutOfScope(former, group.scope)) group.skip(removal);
    else {
      group.settle();
      roomsToRemoveIn.push(group.room);
    }
  }
  emitTo(io, roomsToRemoveIn, removal);
}

/** False if it is unknown. @param former  null if the appointment was deleted */
function wasOutOfScope(former: ScopeFields | null | undefined, scope: ViewerScope): boolean {
  return former === null || (former !== undefined && !isInScope(scope, former));
}

/** The latest offsets without a gap that this gateway has received. */
function createReceivedRun() {
  let run: { epoch: string; first: number; last: number } | undefined;
  return {
    isNext: ({ epoch, offset }: StreamPosition): boolean => run?.epoch === epoch && run.last + 1 === offset,
    restart({ epoch, offset }: StreamPosition) {
      run = { epoch, first: offset, last: offset };
    },
    extend({ offset }: StreamPosition) {
      if (run) run.last = offset;
    },
    /** Whether nothing is missing between this position and the run. */
    continues: (position: StreamPosition | undefined): boolean =>
      position !== undefined && (!run || (position.epoch === run.epoch && position.offset >= run.first - 1)),
  };
}
