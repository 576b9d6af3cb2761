import { createWorld } from '../../test/harness/world.ts';
import { streamIsOpen } from '../chaos/capture-owner.ts';
import { prepareCollection, type Servers } from './run-capture.ts';

/** Milliseconds from the commit of a write until the screen received it. */
export interface Latency {
  /** "staff edit" or "bot's call", with the grace. */
  what: string;
  p50: number;
  p99: number;
}

const GRACES_MS = [250, 0];
const WARM_UP = 20;
const STAFF_EDIT = 'staff edit';
const BOT_CALL = "bot's call";

/** Measures edits that only capture can find, and writes with a call, one after the other, with each grace. */
export async function measureLatency(servers: Servers, edits: number): Promise<Latency[]> {
  const latencies: Latency[] = [];
  for (const graceMs of GRACES_MS) {
    const world = await createWorld({
      ...servers,
      env: { CAPTURE: 'change-stream', CAPTURE_GRACE_MS: String(graceMs), RECONCILE_INTERVAL_MS: '0' },
    });
    try {
      await prepareCollection(world);
      const company = await world.documents.company();
      const api = await world.apiProcess();
      await world.workerProcess();
      await streamIsOpen(world);
      const dashboard = await world.dashboard(api, company.companyId);
      const isShown = (notes: string) =>
        dashboard
          .receive(({ payload: { appointment } }) => 'notes' in appointment && appointment.notes === notes)
          .then(() => performance.now());
      // An appointment for each: otherwise the change that the bot announced would bring the next edit to the screen early.
      const measured = await Promise.all(
        [STAFF_EDIT, BOT_CALL].map(async (what) => {
          const id = await company.appointment({ notes: what });
          await isShown(what);
          return { what, id, times: [] as number[] };
        }),
      );
      for (let round = 0; round < WARM_UP + edits; round += 1) {
        for (const { what, id, times } of measured) {
          const notes = `${what} ${round}`;
          const shown = isShown(notes);
          await company.change(id, { notes });
          const committedAt = performance.now();
          if (what === BOT_CALL) await world.emit(api, 'appointment-updated', id);
          const ms = (await shown) - committedAt;
          if (round >= WARM_UP) times.push(ms);
        }
      }
      for (const { what, times } of measured)
        latencies.push({ what: `${what}, grace ${graceMs} ms`, ...percentiles(times) });
    } finally {
      await world.close();
    }
  }
  return latencies;
}

function percentiles(times: number[]): { p50: number; p99: number } {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
