import { setTimeout as pause } from 'node:timers/promises';
import type { Arena } from '../chaos/arena.ts';
import type { Random } from '../chaos/random.ts';
import { openScreens } from '../chaos/screens.ts';
import { eventually } from '../../test/harness/until.ts';

export interface Churn {
  /** Dashboards that came, were live, and went. */
  readonly visits: number;
  violations: string[];
  /** Resolves when the last has gone. */
  end: () => Promise<void>;
}

const LONGEST_STAY_MS = 6_000;
const LIVE_WITHIN_MS = 60_000;

/** Dashboards that come, are brought up to date, stay for a moment and go, some at the same time. */
export function startChurn({ world, fleet, shop }: Arena, random: Random, atOnce: number): Churn {
  const violations: string[] = [];
  let visits = 0;
  let ended = false;
  const isOpen = () => !ended;
  const urls = fleet.gateways.map(({ board }) => board!.url);

  async function visitor(): Promise<void> {
    while (isOpen()) {
      const url = random.pick(urls);
      const visit = await openScreens({ world, places: [{ companyId: random.pick(shop.companyIds), url }] });
      try {
        await eventually(
          'a visitor to be live',
          () => visit.states().every((state) => state === 'live'),
          LIVE_WITHIN_MS,
        );
        await pause(random.between(0, LONGEST_STAY_MS));
        visits += 1;
      } catch {
        const at = new Date().toISOString();
        violations.push(`until ${at} a visitor of ${url} was not live: ${visit.states().join()}`);
      } finally {
        visit.close();
        violations.push(...visit.violations);
      }
    }
  }
  const all = Promise.all(Array.from({ length: atOnce }, visitor));
  return {
    get visits() {
      return visits;
    },
    violations,
    async end() {
      ended = true;
      await all;
    },
  };
}
