import type { RedisClient } from '../redis/connect.ts';
import { ALIVE_EVENT, DASHBOARD_NAMESPACE } from '@appointment-emissions/contracts';
import { within } from '../process/lifecycle.ts';
import type { DashboardServer } from './create-io.ts';

export interface HeartbeatDeps {
  io: DashboardServer;
  subscriber: RedisClient;
  /** Whether the subscription was confirmed on the present connection. */
  isSubscribed: () => boolean;
  /** Whether MongoDB can be read; answers at once. */
  readsWork: () => boolean;
  lookEveryMs?: number;
  sendEveryMs?: number;
}

export interface Heartbeats {
  /** Whether this gateway receives what is published, as of the last look. */
  hearsRedis: () => boolean;
  close: () => void;
}

const LOOK_EVERY_MS = 2_000;
/** Each socket is promised one within 10 s. */
const SEND_EVERY_MS = 8_000;
const ANSWER_WITHIN_MS = 1_500;

/**
 * Sends `emissions:alive` to every dashboard of this gateway, at least every 8 s, and at once when MongoDB can no longer be
 * read, or again. While Redis does not answer on the connection of the subscription none is sent: nothing that is published
 * would arrive. It goes to this gateway's sockets alone, past the adapter, which would publish it on Redis.
 */
export function sendHeartbeats(deps: HeartbeatDeps): Heartbeats {
  const { io, subscriber, isSubscribed, readsWork } = deps;
  const { lookEveryMs = LOOK_EVERY_MS, sendEveryMs = SEND_EVERY_MS } = deps;
  let pending: Promise<unknown> | undefined;
  let hears = true;
  let sent: { reads: boolean; at: number } | undefined;
  let closed = false;

  /** At most one PING at a time: on a frozen connection none is answered until it is given up. */
  async function answers(): Promise<boolean> {
    if (subscriber.status !== 'ready' || !isSubscribed()) return false;
    pending ??= subscriber
      .ping()
      .catch(() => undefined)
      .finally(() => {
        pending = undefined;
      });
    try {
      await within(ANSWER_WITHIN_MS, 'Redis to answer', pending);
      return isSubscribed();
    } catch {
      return false;
    }
  }

  async function look(): Promise<void> {
    const heard = await answers();
    const isBack = heard && !hears;
    hears = heard;
    if (!heard || closed) return;
    const [reads, now] = [readsWork(), performance.now()];
    // Looks are apart by their interval and what the PING took: the next one may come too late.
    const isDue = !sent || now - sent.at + lookEveryMs > sendEveryMs;
    if (!isDue && !isBack && sent?.reads === reads) return;
    io.of(DASHBOARD_NAMESPACE).local.emit(ALIVE_EVENT, { reads });
    sent = { reads, at: now };
  }

  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }, lookEveryMs);
  return {
    hearsRedis: () => hears,
    close: () => {
      closed = true;
      clearInterval(timer);
    },
  };
}
