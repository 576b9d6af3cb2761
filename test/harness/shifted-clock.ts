/** Environment of a process whose wall clock is `ms` ahead; its timers are right. */
export function shiftedBy(ms: number): Record<string, string> {
  const preload = new URL('./fixtures/shift-clock.mjs', import.meta.url).href;
  return { NODE_OPTIONS: `--import ${preload}`, TEST_CLOCK_SHIFT_MS: String(ms) };
}
