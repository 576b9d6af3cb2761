import { randomUUID } from 'node:crypto';
import { PASSED_EVENT } from '@appointment-emissions/contracts';
import type { ViewerScope } from '../../domain/scope.ts';
import type { ReplayedEvent } from '../catch-up.ts';
import type { DashboardServer, DashboardSocket } from '../dashboard-server.ts';

/** Sockets of one company with equal scopes. */
export interface ScopeGroup {
  readonly scope: ViewerScope;
  /** Only this gateway knows its name, so no message from Redis can name it. */
  readonly room: string;
  isEmpty: () => boolean;
  add: (socket: DashboardSocket) => void;
  remove: (socket: DashboardSocket) => void;
  /**
   * Sockets that may have missed an emission are behind. They must not get `emissions:passed`, and get all removals instead.
   * @param isComplete  whether a socket has missed nothing
   */
  findBehind: (isComplete: (socket: DashboardSocket) => boolean) => void;
  /** The socket has missed nothing. */
  caughtUp: (socket: DashboardSocket) => void;
  /** Leaves an emission out whose removal no socket needs. `emissions:passed` accounts for it within a second. */
  skip: (removal: ReplayedEvent) => void;
  /** Accounts for the emissions that were left out, before anything else is sent. */
  settle: () => void;
}

const PASSED_EVERY_MS = 1_000;
const MAX_SKIPPED = 1_000;

export function createScopeGroup(io: DashboardServer, scope: ViewerScope): ScopeGroup {
  const room = `scope:${randomUUID()}`;
  const sockets = new Set<DashboardSocket>();
  const behind = new Set<DashboardSocket>();
  const upToDate = (): string[] =>
    behind.size === 0 ? [room] : [...sockets].flatMap((socket) => (behind.has(socket) ? [] : socket.id));
  const skipped = createSkipped(io, upToDate);

  return {
    scope,
    room,
    isEmpty: () => sockets.size === 0,
    add(socket) {
      sockets.add(socket);
      behind.add(socket);
      void socket.join(room);
    },
    remove(socket) {
      sockets.delete(socket);
      behind.delete(socket);
      void socket.leave(room);
      if (sockets.size === 0) skipped.drop();
    },
    findBehind(isComplete) {
      for (const socket of sockets) if (!isComplete(socket)) behind.add(socket);
    },
    caughtUp(socket) {
      behind.delete(socket);
    },
    skip(removal) {
      const ids = [...behind].map(({ id }) => id);
      emitTo(io, ids, removal);
      if (sockets.size > behind.size) skipped.add(removal);
    },
    settle: skipped.settle,
  };
}

/**
 * Emissions that were left out. `emissions:passed` accounts for them or, if the last one was sent within the same second, their
 * removals do: offsets stay consecutive.
 * @param recipients  the rooms that get either
 */
function createSkipped(io: DashboardServer, recipients: () => readonly string[]) {
  let removals: ReplayedEvent[] = [];
  /** In ms of this process' monotonic clock. */
  let passedAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;

  function drop(): ReplayedEvent[] {
    clearTimeout(timer);
    timer = undefined;
    const dropped = removals;
    removals = [];
    return dropped;
  }
  function account(isDue: boolean): void {
    const pending = drop();
    const last = pending.at(-1);
    const rooms = recipients();
    if (!last || rooms.length === 0) return;
    if (!isDue) {
      for (const removal of pending) emitTo(io, rooms, removal);
      return;
    }
    passedAt = performance.now();
    io.local.to([...rooms]).emit(PASSED_EVENT, { epoch: last.meta.epoch, offset: last.meta.offset });
  }
  const settle = (): void => {
    account(performance.now() - passedAt >= PASSED_EVERY_MS);
  };
  return {
    add(removal: ReplayedEvent) {
      removals.push(removal);
      if (removals.length >= MAX_SKIPPED) settle();
      else timer ??= setTimeout(account, PASSED_EVERY_MS, true);
    },
    settle,
    drop,
  };
}

/** Sends an event to these rooms of this gateway. It is encoded once. */
export function emitTo(
  io: DashboardServer,
  rooms: readonly string[],
  { event, payload, meta }: ReplayedEvent,
): void {
  if (rooms.length > 0) io.local.to([...rooms]).emit(event, payload, meta);
}
