/** What a worker reports where it has no sweep: no fault while another one has. */
export const SWEEP_OFF =
  'the sweep is off (RECONCILE_INTERVAL_MS=0): changes that were not announced are not found';
