/** Permission for one attempt. Call exactly one of the two methods when the attempt has ended. */
export interface Pass {
  succeeded(): void;
  failed(): void;
}

export interface CircuitBreaker {
  /** Returns undefined while the circuit is open: do not try. */
  enter(): Pass | undefined;
  /** True if `enter` would return a pass now. */
  isReady(): boolean;
}

interface BreakerOptions {
  /** Number of consecutive failures that open the circuit. */
  failuresToOpen: number;
  /** How long the circuit stays open before one probe. Varied by ±25 %, so that many bots do not probe at the same time. */
  coolDownMs: number;
}

/**
 * Stops attempts to a server that is down for a long time, so that calls fail at once.
 *
 * - closed: every attempt gets a pass. `failuresToOpen` consecutive failures → open.
 * - open: no attempt gets a pass. After the cool-down → half-open.
 * - half-open: one attempt, the probe, gets a pass. Its success → closed; its failure → open.
 */
export function createCircuitBreaker({ failuresToOpen, coolDownMs }: BreakerOptions): CircuitBreaker {
  let failures = 0;
  let openUntil: number | undefined;
  let isProbing = false;

  const isReady = (): boolean => openUntil === undefined || (!isProbing && performance.now() >= openUntil);

  function open(): void {
    openUntil = performance.now() + coolDownMs * (0.75 + Math.random() / 2);
  }

  return {
    isReady,
    enter() {
      if (!isReady()) return undefined;
      const isProbe = openUntil !== undefined;
      if (isProbe) isProbing = true;
      return {
        succeeded() {
          if (isProbe) isProbing = false;
          failures = 0;
          openUntil = undefined;
        },
        failed() {
          if (isProbe) isProbing = false;
          failures += 1;
          // Attempts that started before the circuit opened must not delay the probe.
          if (isProbe || (openUntil === undefined && failures >= failuresToOpen)) open();
        },
      };
    },
  };
}
