/** What is known about bulk work in this process. */
export interface BulkState {
  /** Share of the time (0 to 1) in which bulk work may run beside live emissions. */
  share: number;
}

/** What was measured since the last decision. */
export interface LoopMeasurement {
  /** Share of the time (0 to 1) in which the event loop was busy; `undefined` if it was not measured. */
  utilization: number | undefined;
  /** Whether a live emission came recently, so that more are expected. */
  isBesideLive: boolean;
}

/**
 * How busy the event loop may be beside live emissions. A live emission passes the event loop about ten times. Each time it
 * waits for the work in progress, so that its delay grows with the utilization.
 */
export const TARGET_UTILIZATION = 0.6;
/** Bulk work gets this share even if live emissions use all time. */
export const MIN_SHARE = 0.05;
/** The share before the first measurement. */
export const FIRST_BULK_STATE: BulkState = { share: 0.3 };
/** One decision changes the share by no more than these factors: a single measurement may be wrong. */
const MAX_CHANGE = { down: 0.5, up: 1.25 };

/**
 * Decides which share of the time bulk work gets. Alone it gets all time. Beside live emissions it gets what they leave below
 * the target: the share changes in proportion to the target over the measured utilization. A busy machine makes the event loop
 * busier too, since a process without a CPU counts as busy.
 */
export function decideBulkShare(
  state: BulkState,
  { utilization, isBesideLive }: LoopMeasurement,
  target = TARGET_UTILIZATION,
): { state: BulkState; allowance: number } {
  if (!isBesideLive) return { state, allowance: 1 };
  const share = clamp(state.share * changeFor(utilization, target), MIN_SHARE, 1);
  return { state: { share }, allowance: share };
}

function changeFor(utilization: number | undefined, target: number): number {
  if (utilization === undefined || !(utilization >= 0)) return 1;
  return clamp(target / utilization, MAX_CHANGE.down, MAX_CHANGE.up);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(Number.isNaN(value) ? min : value, min), max);
}
