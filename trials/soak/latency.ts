import { setTimeout as pause } from 'node:timers/promises';
import type { World } from '../../test/harness/world.ts';
import type { Random } from '../chaos/random.ts';
import { emit, openCompany, openScreen } from './company.ts';

export interface LatencyProbe {
  /** Returns the latencies measured since the last call, in ms, and forgets them. */
  take: () => number[];
  violations: string[];
  end: () => Promise<void>;
}

export interface LatencyProbeDeps {
  world: Pick<World, 'documents'>;
  /** The API that accepts the emissions, and that the screen is connected to. */
  url: string;
  key: () => string;
  token: (companyId: string) => Promise<string>;
  random: Random;
}

const APPOINTMENTS = 10;
const MAX_PAUSE_MS = 1_000;
const SHOWN_WITHIN_MS = 60_000;

/** Writes, emits and waits for the screen, again and again. A latency is the time from the first POST to the screen. */
export async function startLatencyProbe({
  world,
  url,
  key,
  token,
  random,
}: LatencyProbeDeps): Promise<LatencyProbe> {
  const company = await openCompany(world, APPOINTMENTS);
  const screen = openScreen(url, company.companyId, () => token(company.companyId));
  const latencies: number[] = [];
  const violations: string[] = [];
  let ended = false;
  const isOpen = () => !ended;

  async function measure(): Promise<void> {
    const id = random.pick(company.appointmentIds);
    const notes = await company.write(id);
    const began = performance.now();
    await emit(url, key, id);
    await screen.shows(id, notes, SHOWN_WITHIN_MS);
    latencies.push(performance.now() - began);
  }
  const running = (async () => {
    while (isOpen()) {
      await measure().catch((error: unknown) => {
        violations.push(`at ${new Date().toISOString()} a latency probe failed: ${(error as Error).message}`);
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
      screen.close();
      violations.push(...screen.violations);
    },
  };
}

/** The value below which the share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)]!;
}
