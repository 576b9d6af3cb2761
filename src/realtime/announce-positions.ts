import {
  companyRoom,
  DASHBOARD_NAMESPACE,
  type Id,
  OBJECT_ID,
  POSITION_EVENT,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import type { CompanyTurns } from '../access/company-turns.ts';
import { chunks } from '../batching.ts';
import type { RedisClient } from '../redis/connect.ts';
import {
  type DashboardServer,
  type DashboardSocket,
  isDashboard,
  SOCKETS_PER_PART,
} from './dashboard-server.ts';

export interface AnnounceDeps {
  io: DashboardServer;
  head: (companyId: Id) => Promise<StreamPosition>;
  subscriber: RedisClient;
  adapterKey: string;
  turns: Pick<CompanyTurns, 'piece'>;
  intervalMs: number;
  pause: (ms: number) => Promise<void>;
  onFault: (error: unknown) => void;
  /** Called before a position is sent to a socket: the offsets before it must be accounted for. */
  beforePosition: (socket: DashboardSocket) => void;
}

export interface Announcer {
  /** Resolves when this gateway receives what is published. */
  subscribed: Promise<void>;
  /** Whether the subscription was confirmed on the present connection. */
  isSubscribed: () => boolean;
  close: () => void;
}

/** After this time, live emissions up to a head that was read have reached their gateway, or they were lost. */
const IN_FLIGHT_MS = 500;
/** After a fault of Redis the subscription may be back before the connection that reads the heads. */
const MAX_TRIES = 8;
const RETRY_DELAY_MS = 250;
/** Heads that are read together: more would delay the commands of requests behind them. */
const HEADS_PER_READ = 50;
/** Steps of an interval. Each company is announced in one of them. */
const STEPS = 20;

/**
 * Sends the head of its company log to every room, every `intervalMs` and when the Redis subscription is back. A
 * dashboard with a lower position has missed an emission, and requests a catch-up. The companies are spread over the interval:
 * thousands of heads that are read and sent at the same time would delay live emissions.
 */
export function announcePositions(deps: AnnounceDeps): Announcer {
  const { io, subscriber, adapterKey, intervalMs, pause, onFault } = deps;
  let closed = false;
  const announce = createAnnounce(deps, () => closed);

  async function announceAllWithRetries(): Promise<void> {
    let companyIds = companiesOf(io);
    for (let tries = 1; !closed; tries += 1) {
      const { missed, reason } = await announce(companyIds);
      if (missed.length === 0) return;
      if (tries === MAX_TRIES) throw reason;
      await pause(RETRY_DELAY_MS);
      companyIds = missed;
    }
  }

  async function announceStep(step: number): Promise<void> {
    const { missed, reason } = await announce(
      companiesOf(io).filter((companyId) => stepOf(companyId) === step),
    );
    if (missed.length > 0) throw reason;
  }

  const subscription = confirmSubscription(subscriber, {
    pattern: `${adapterKey}#${DASHBOARD_NAMESPACE}#*`,
    // Also the first time: a dashboard may have caught up before, and missed what was published until now.
    onConfirmed: announceAllWithRetries,
    onFault,
  });
  let step = 0;
  const timer = setInterval(() => {
    step = (step + 1) % STEPS;
    announceStep(step).catch(onFault);
  }, intervalMs / STEPS);

  return {
    subscribed: subscription.first,
    isSubscribed: subscription.isConfirmed,
    close() {
      closed = true;
      clearInterval(timer);
      subscription.close();
    },
  };
}

/**
 * Announces the companies whose head can be read. On a Cluster a master may be away: its companies must not hold up the others.
 * Resolves to the companies that were not announced, and the last reason.
 */
function createAnnounce(
  { io, head, turns, pause, beforePosition }: AnnounceDeps,
  isClosed: () => boolean,
): (companyIds: readonly Id[]) => Promise<{ missed: Id[]; reason: unknown }> {
  const readHead = (companyId: Id) =>
    head(companyId).then(
      (position) => ({ companyId, position }),
      (error: unknown) => ({ companyId, error }),
    );

  /** In pieces, after the company's events that wait to be written: a position must not overtake them. */
  async function sendLater(companyId: Id, position: StreamPosition): Promise<void> {
    await pause(IN_FLIGHT_MS);
    // A dashboard would take a head that arrives before its replay for the answer to its handshake.
    const sockets = socketsOf(io, companyId).filter(({ data }) => data.emissions.caughtUpTo);
    for (const part of chunks(sockets, SOCKETS_PER_PART)) {
      await turns.piece('message', companyId, () => {
        if (isClosed()) return;
        part.forEach(beforePosition);
        io.local.to(part.map(({ id }) => id)).emit(POSITION_EVENT, { ...position, recovered: true });
      });
    }
  }

  return async (companyIds) => {
    const missed: Id[] = [];
    let reason: unknown;
    const fail = (companyId: Id, error: unknown): void => {
      missed.push(companyId);
      reason = error;
    };
    const sends: Promise<void>[] = [];
    for (const chunk of chunks(companyIds, HEADS_PER_READ)) {
      for (const read of await Promise.all(chunk.map(readHead))) {
        const { companyId } = read;
        if ('error' in read) fail(companyId, read.error);
        else
          sends.push(
            sendLater(companyId, read.position).catch((error: unknown) => {
              fail(companyId, error);
            }),
          );
      }
    }
    await Promise.all(sends);
    return { missed, reason };
  };
}

/** The last digits of an ObjectId are a counter, so that companies are spread evenly. */
function stepOf(companyId: Id): number {
  return parseInt(companyId.slice(-4), 16) % STEPS;
}

interface ConfirmOptions {
  pattern: string;
  /** Called after each confirmation: the first one, and one for each later connection. */
  onConfirmed: () => Promise<void>;
  onFault: (error: unknown) => void;
}

/** Subscribes again on each connection of the adapter's subscriber, since the adapter waits for no confirmation. */
function confirmSubscription(subscriber: RedisClient, { pattern, onConfirmed, onFault }: ConfirmOptions) {
  let isConfirmed = false;
  const subscribe = async (): Promise<void> => {
    await subscriber.psubscribe(pattern);
    isConfirmed = true;
  };
  const onClose = (): void => {
    isConfirmed = false;
  };
  const onReconnect = (): void => {
    subscribe().then(onConfirmed).catch(onFault);
  };
  const onFirstReady = (): void => void subscriber.on('ready', onReconnect);

  subscriber.on('close', onClose);
  const first = subscribe();
  first.then(onConfirmed).catch(onFault);
  if (subscriber.status === 'ready') onFirstReady();
  else subscriber.once('ready', onFirstReady);

  return {
    first,
    isConfirmed: () => isConfirmed,
    close() {
      subscriber.off('close', onClose);
      subscriber.off('ready', onReconnect);
      subscriber.off('ready', onFirstReady);
    },
  };
}

/** A company's dashboards on this gateway. */
function socketsOf(io: DashboardServer, companyId: Id) {
  const { adapter, sockets } = io.of(DASHBOARD_NAMESPACE);
  const ids = [...(adapter.rooms.get(companyRoom(companyId)) ?? [])];
  // An application may let sockets join the room that are no dashboards of ours.
  return ids.flatMap((id) => sockets.get(id) ?? []).filter(isDashboard);
}

/** Companies with a dashboard on this gateway. */
export function companiesOf(io: DashboardServer): Id[] {
  const prefix = companyRoom('');
  return [...io.of(DASHBOARD_NAMESPACE).adapter.rooms.keys()].flatMap((room) =>
    room.startsWith(prefix) && OBJECT_ID.test(room.slice(prefix.length)) ? room.slice(prefix.length) : [],
  );
}
