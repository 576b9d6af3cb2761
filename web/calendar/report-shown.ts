/** Detail of the event `emission-shown` on `window`. */
export interface EmissionShown {
  emissionId: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** Reports to latency measurements and tests that an emission is on the screen. */
export function reportShown(emissionId: string): void {
  const detail: EmissionShown = { emissionId, at: Date.now() };
  document.documentElement.dataset.lastEmission = emissionId;
  document.documentElement.dataset.lastEmissionAt = String(detail.at);
  window.dispatchEvent(new CustomEvent('emission-shown', { detail }));
}
