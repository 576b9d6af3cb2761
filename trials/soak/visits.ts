import { setTimeout as pause } from 'node:timers/promises';
import type { Testbed } from '../chaos/testbed.ts';
import type { Random } from '../chaos/random.ts';
import { openScreens } from '../chaos/screens.ts';
import { eventually } from '../../test/harness/until.ts';

export interface Visits {
  /** Dashboards that connected, became live and disconnected. */
  readonly count: number;
  violations: string[];
  /** Stops opening dashboards. Resolves when the last one has disconnected. */
  end: () => Promise<void>;
}

const MAX_STAY_MS = 6_000;
const LIVE_WITHIN_MS = 60_000;

/** Dashboards that come, are brought up to date, stay for a moment and go, some at the same time. */
export function startVisits(
  { world, fleet, workload }: Testbed,
  random: Random,
  concurrency: number,
): Visits {
  const violations: string[] = [];
  let visits = 0;
  let ended = false;
  const isOpen = () => !ended;
  const urls = fleet.gateways.map(({ balancer }) => balancer!.url);

  async function visitor(): Promise<void> {
    while (isOpen()) {
      const url = random.pick(urls);
      const visit = await openScreens({
        world,
        places: [{ companyId: random.pick(workload.companyIds), url }],
      });
      try {
        await eventually(
          'a short-lived dashboard to be live',
          () => visit.states().every((state) => state === 'live'),
          LIVE_WITHIN_MS,
        );
        await pause(random.between(0, MAX_STAY_MS));
        visits += 1;
      } catch {
        const at = new Date().toISOString();
        violations.push(`at ${at} a dashboard of ${url} was not live in time: ${visit.states().join()}`);
      } finally {
        visit.close();
        violations.push(...visit.violations);
      }
    }
  }
  const all = Promise.all(Array.from({ length: concurrency }, visitor));
  return {
    get count() {
      return visits;
    },
    violations,
    async end() {
      ended = true;
      await all;
    },
  };
}
