import { setTimeout as pause } from 'node:timers/promises';
import { API_KEY, type World } from '../../test/harness/world.ts';
import type { Random } from '../chaos/random.ts';
import { emit, openCompany, openScreen } from './company.ts';

export interface LatencyProbe {
  /** Returns the latencies measured since the last call, in ms, and forgets them. */
  take: () => number[];
  violations: string[];
  end: () => Promise<void>;
}

const APPOINTMENTS = 10;
const MAX_PAUSE_MS = 1_000;
const SHOWN_WITHIN_MS = 60_000;

/**
 * Writes, emits and waits for the screen, again and again. A latency is the time from the first POST to the screen; both are at the
 * measured API.
 */
export async function startLatencyProbe(
  world: World,
  url: string,
  { random, onAccepted }: { random: Random; onAccepted: (emissionId: string) => void },
): Promise<LatencyProbe> {
  const company = await openCompany(world, APPOINTMENTS);
  const screen = openScreen(url, company.companyId, () => world.token(company.companyId, '12h'));
  world.keep(screen, screen.close);
  const latencies: number[] = [];
  const violations: string[] = [];
  let ended = false;
  const isOpen = () => !ended;

  async function measure(): Promise<void> {
    const id = random.pick(company.appointmentIds);
    const notes = await company.write(id);
    const began = performance.now();
    onAccepted(await emit(url, () => API_KEY, id));
    await screen.shows(id, notes, SHOWN_WITHIN_MS);
    latencies.push(performance.now() - began);
  }
  const running = (async () => {
    while (isOpen()) {
      await measure().catch((error: unknown) => {
        violations.push(
          `at ${new Date().toISOString()} the latency probe failed: ${(error as Error).message}`,
        );
      });
      await pause(random.between(0, MAX_PAUSE_MS));
    }
  })();
  return {
    take: () => latencies.splice(0),
    violations,
    async end() {
      ended = true;
      await running;
      violations.push(...screen.violations);
    },
  };
}

/** The value below which the share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)]!;
}
