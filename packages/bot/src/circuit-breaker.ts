/** Leave to try once. Exactly one of the two is called when it is over. */
export interface Pass {
  succeeded(): void;
  failed(): void;
}

export interface CircuitBreaker {
  /** Undefined: the other side is taken for dead, don't try. */
  enter(): Pass | undefined;
  /** Whether enter() would give leave now. */
  lets(): boolean;
}

interface BreakerOptions {
  /** Consecutive failures that open it. */
  failuresToOpen: number;
  /** How long it stays open before one probe is let through; spread by ±25 % so that bots don't probe in step. */
  coolDownMs: number;
}

/**
 * Covers a backend that is gone for longer than a few retries: after some consecutive failures it gives no more leave,
 * so that a call costs nothing, but for one probe after each cool-down. A probe's success closes it.
 */
export function createCircuitBreaker({ failuresToOpen, coolDownMs }: BreakerOptions): CircuitBreaker {
  let failures = 0;
  let opensUntil: number | undefined;
  let probing = false;

  const lets = (): boolean => opensUntil === undefined || (!probing && performance.now() >= opensUntil);

  function open(): void {
    opensUntil = performance.now() + coolDownMs * (0.75 + Math.random() / 2);
  }

  return {
    lets,
    enter() {
      if (!lets()) return undefined;
      const probe = opensUntil !== undefined;
      if (probe) probing = true;
      return {
        succeeded() {
          if (probe) probing = false;
          failures = 0;
          opensUntil = undefined;
        },
        failed() {
          if (probe) probing = false;
          failures += 1;
          // Stragglers that fail while it is open must not put the probe off.
          if (probe || (opensUntil === undefined && failures >= failuresToOpen)) open();
        },
      };
    },
  };
}
