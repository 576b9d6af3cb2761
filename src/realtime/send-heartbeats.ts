import type { RedisClient } from '../redis/connect.ts';
import type { Alive } from '@appointment-emissions/contracts';
import { within } from '../process/lifecycle.ts';

export interface HeartbeatDeps {
  /** Sends one to each dashboard of this gateway, and never through the adapter, which would publish it on Redis. */
  send: (heartbeat: Alive) => void;
  subscriber: RedisClient;
  /** Whether the subscription was confirmed on the present connection. */
  isSubscribed: () => boolean;
  /** Whether MongoDB can be read; answers immediately. */
  readsWork: () => boolean;
  checkEveryMs?: number;
  sendEveryMs?: number;
}

export interface Heartbeats {
  /** Whether this gateway receives what is published, by the last check. */
  receivesFromRedis: () => boolean;
  close: () => void;
}

const CHECK_EVERY_MS = 2_000;
/** Each socket must get one at least every 10 s. */
const SEND_EVERY_MS = 8_000;
const ANSWER_WITHIN_MS = 1_500;

/**
 * Sends `emissions:alive` to every dashboard of this gateway at least every 8 s, and immediately when MongoDB becomes
 * unreadable or readable. None is sent while Redis does not answer on the connection of the subscription, since no
 * emission would arrive.
 */
export function sendHeartbeats(deps: HeartbeatDeps): Heartbeats {
  const { send, subscriber, isSubscribed, readsWork } = deps;
  const { checkEveryMs = CHECK_EVERY_MS, sendEveryMs = SEND_EVERY_MS } = deps;
  let pending: Promise<unknown> | undefined;
  let isReceiving = true;
  let sent: { reads: boolean; at: number } | undefined;
  let closed = false;

  /** At most one PING is pending: a frozen connection answers none until it is closed. */
  async function redisAnswers(): Promise<boolean> {
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

  async function check(): Promise<void> {
    const answered = await redisAnswers();
    const isBack = answered && !isReceiving;
    isReceiving = answered;
    if (!answered || closed) return;
    const [reads, now] = [readsWork(), performance.now()];
    // The next check comes after the interval and the time of its PING, which may be too late.
    const isDue = !sent || now - sent.at + checkEveryMs > sendEveryMs;
    if (!isDue && !isBack && sent?.reads === reads) return;
    send({ reads });
    sent = { reads, at: now };
  }

  let isChecking = false;
  const timer = setInterval(() => {
    if (isChecking) return;
    isChecking = true;
    void check().finally(() => {
      isChecking = false;
    });
  }, checkEveryMs);
  return {
    receivesFromRedis: () => isReceiving,
    close: () => {
      closed = true;
      clearInterval(timer);
    },
  };
}
