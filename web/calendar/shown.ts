/** What `emission-shown` on `window` carries. */
export interface EmissionShown {
  emissionId: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** Tells who measures that an emission is on the screen now. */
export function tellShown(emissionId: string): void {
  const detail: EmissionShown = { emissionId, at: Date.now() };
  document.documentElement.dataset.lastEmission = emissionId;
  document.documentElement.dataset.lastEmissionAt = String(detail.at);
  window.dispatchEvent(new CustomEvent('emission-shown', { detail }));
}
