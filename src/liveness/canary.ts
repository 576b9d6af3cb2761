import { randomUUID } from 'node:crypto';
import type { HealthStatus } from '../domain/health-status.ts';

export interface CanaryDeps {
  intervalMs: number;
  /** Puts a canary into the queue. */
  send: (canaryId: string) => Promise<void>;
  /** What became of one that was not heard. */
  fateOf: (canaryId: string) => Promise<'published' | 'waiting' | 'lost'>;
  onHeard: (roundTripMs: number) => void;
  onFault: (error: unknown) => void;
}

export interface Canary {
  /** It came back to this gateway's own socket. */
  heard: (canaryId: string) => void;
  /** Red where canaries are published that this gateway does not hear. */
  verdict: () => HealthStatus;
  /** ms since one was heard, or since the start. */
  sinceHeardMs: () => number;
  close: () => void;
}

/** A message or two may fall into a restart of Redis. */
const UNHEARD_UNTIL_RED = 3;

/**
 * Every few seconds a job that asks for nothing goes the whole way, from this gateway through queue, worker and Redis to
 * a socket of its own. One at a time: while workers are away none piles up. What the workers owe is their own liveness.
 */
export function startCanary({ intervalMs, send, fateOf, onHeard, onFault }: CanaryDeps): Canary {
  let away: { id: string; sentAt: number } | undefined;
  let heardAt = performance.now();
  let unheard = 0;
  let busy = false;

  async function next(): Promise<void> {
    const sent = away;
    if (sent) {
      const fate = await fateOf(sent.id);
      if (away === sent) {
        if (fate === 'waiting') return;
        if (fate === 'published') unheard += 1;
      }
    }
    const id = randomUUID();
    away = { id, sentAt: performance.now() };
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
    heard(canaryId) {
      if (canaryId !== away?.id) return;
      heardAt = performance.now();
      onHeard(heardAt - away.sentAt);
      away = undefined;
      unheard = 0;
    },
    verdict: () =>
      unheard < UNHEARD_UNTIL_RED
        ? { ok: true }
        : {
            ok: false,
            detail: `the last ${unheard} canaries were published, but did not reach this gateway's socket`,
          },
    sinceHeardMs: () => performance.now() - heardAt,
    close: () => {
      clearInterval(timer);
    },
  };
}
