import { randomUUID } from 'node:crypto';
import type { HealthStatus } from '../domain/health-status.ts';

export interface CanaryDeps {
  intervalMs: number;
  /** Puts a canary into the queue. */
  send: (canaryId: string) => Promise<void>;
  /** Resolves to the state of a canary that did not arrive. */
  fateOf: (canaryId: string) => Promise<'published' | 'waiting' | 'lost'>;
  onReceived: (roundTripMs: number) => void;
  onFault: (error: unknown) => void;
}

export interface Canary {
  /** Call when a canary arrives at this gateway's own socket. */
  receive: (canaryId: string) => void;
  /** Not ok if published canaries do not arrive at this gateway. */
  verdict: () => HealthStatus;
  /** ms since the last canary arrived, or since the start. */
  sinceReceivedMs: () => number;
  close: () => void;
}

/** A restart of Redis can lose one or two canaries. */
const MAX_MISSED = 3;

/**
 * Sends a canary every few seconds through the whole pipeline: from this gateway through queue, worker and Redis to its own
 * socket. One at a time, so that they do not accumulate while workers are missing. Workers have their own liveness check.
 */
export function startCanary({ intervalMs, send, fateOf, onReceived, onFault }: CanaryDeps): Canary {
  let pending: { id: string; sentAt: number } | undefined;
  let receivedAt = performance.now();
  let missed = 0;
  let busy = false;

  async function next(): Promise<void> {
    const sent = pending;
    if (sent) {
      const fate = await fateOf(sent.id);
      if (pending === sent) {
        if (fate === 'waiting') return;
        if (fate === 'published') missed += 1;
      }
    }
    const id = randomUUID();
    pending = { id, sentAt: performance.now() };
    await send(id);
  }

  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    next()
      .catch(onFault)
      .finally(() => {
        busy = false;
      });
  }, intervalMs);

  return {
    receive(canaryId) {
      if (canaryId !== pending?.id) return;
      receivedAt = performance.now();
      onReceived(receivedAt - pending.sentAt);
      pending = undefined;
      missed = 0;
    },
    verdict: () =>
      missed < MAX_MISSED
        ? { ok: true }
        : {
            ok: false,
            detail: `the last ${missed} canaries were published, but did not reach this gateway's socket`,
          },
    sinceReceivedMs: () => performance.now() - receivedAt,
    close: () => {
      clearInterval(timer);
    },
  };
}
