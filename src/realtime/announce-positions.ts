import {
  companyRoom,
  DASHBOARD_NAMESPACE,
  type Id,
  type StreamPosition,
  POSITION_EVENT,
} from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import type { DashboardServer } from './create-io.ts';

export interface AnnounceDeps {
  io: DashboardServer;
  head: (companyId: Id) => Promise<StreamPosition>;
  subscriber: RedisClient;
  adapterKey: string;
  intervalMs: number;
  pause: (ms: number) => Promise<void>;
  onFault: (error: unknown) => void;
}

export interface Announcer {
  /** Resolves when this gateway hears what is published. */
  subscribed: Promise<void>;
  /** Whether the subscription was confirmed on the present connection. */
  isSubscribed: () => boolean;
  close: () => void;
}

/** Live events up to the head that was read have reached their gateway after this, or will not at all. */
const IN_FLIGHT_MS = 500;
/** After a fault of Redis the subscription may be back before the connection over which the heads are read. */
const TRIES_WHEN_BACK = 8;
const PAUSE_WHEN_BACK_MS = 250;

/**
 * Tells every room the head of its company's log, every `intervalMs` and when the Redis subscription is back: a
 * dashboard that stands elsewhere has missed something, and asks for it.
 */
export function announcePositions(deps: AnnounceDeps): Announcer {
  const { io, head, subscriber, adapterKey, intervalMs, pause, onFault } = deps;
  let closed = false;

  async function announce(): Promise<void> {
    const companies = companiesOf(io);
    const heads = await Promise.all(
      companies.map(async (companyId) => [companyId, await head(companyId)] as const),
    );
    await pause(IN_FLIGHT_MS);
    if (closed) return;
    for (const [companyId, place] of heads) {
      for (const socket of socketsOf(io, companyId)) {
        // One that waits for its replay must not take this for the answer to its joining.
        if (socket.data.isPlaced) socket.emit(POSITION_EVENT, { ...place, recovered: true });
      }
    }
  }

  async function announceWhenBack(): Promise<void> {
    for (let tries = 1; !closed; tries += 1) {
      try {
        await announce();
        return;
      } catch (error) {
        if (tries === TRIES_WHEN_BACK) throw error;
        await pause(PAUSE_WHEN_BACK_MS);
      }
    }
  }

  // The adapter does not wait for its subscription. Subscribing again on the same connection does.
  const pattern = `${adapterKey}#${DASHBOARD_NAMESPACE}#*`;
  let isSubscribed = false;
  const subscribe = async (): Promise<void> => {
    await subscriber.psubscribe(pattern);
    isSubscribed = true;
  };
  const onClosed = (): void => {
    isSubscribed = false;
  };
  subscriber.on('close', onClosed);
  const subscribed = subscribe();
  // Dashboards may have been placed before: what was published in between is told by the head.
  subscribed.then(announceWhenBack).catch(onFault);

  const onBack = (): void => {
    subscribe().then(announceWhenBack).catch(onFault);
  };
  const onFirstReady = (): void => void subscriber.on('ready', onBack);
  if (subscriber.status === 'ready') onFirstReady();
  else subscriber.once('ready', onFirstReady);

  const timer = setInterval(() => {
    announce().catch(onFault);
  }, intervalMs);

  return {
    subscribed,
    isSubscribed: () => isSubscribed,
    close() {
      closed = true;
      clearInterval(timer);
      subscriber.off('close', onClosed);
      subscriber.off('ready', onBack);
      subscriber.off('ready', onFirstReady);
    },
  };
}

/** A company's dashboards on this gateway. */
function socketsOf(io: DashboardServer, companyId: Id) {
  const { adapter, sockets } = io.of(DASHBOARD_NAMESPACE);
  return [...(adapter.rooms.get(companyRoom(companyId)) ?? [])].flatMap((id) => sockets.get(id) ?? []);
}

/** Companies with a dashboard on this gateway. */
export function companiesOf(io: DashboardServer): Id[] {
  const prefix = companyRoom('');
  return [...io.of(DASHBOARD_NAMESPACE).adapter.rooms.keys()].flatMap((room) =>
    room.startsWith(prefix) ? room.slice(prefix.length) : [],
  );
}
