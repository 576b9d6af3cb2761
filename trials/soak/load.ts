import { startFaultInjection } from '../chaos/inject-faults.ts';
import type { Random } from '../chaos/random.ts';
import { openScreens, type Screens } from '../chaos/screens.ts';
import type { Testbed } from '../chaos/testbed.ts';
import { API_KEY } from '../../test/harness/world.ts';
import { eventually } from '../../test/harness/until.ts';
import { startChurn } from './churn.ts';
import { startCompanies } from './companies.ts';
import { openDeployment } from './deployment.ts';
import { startLatencyProbe } from './latency.ts';
import type { LatencyProbes } from './sample.ts';
import { startVisits } from './visits.ts';

const CHURN_STEPS = 40;
const FAULTS = 120;
const VISITORS = 2;
const COMPANIES = 2;
/** Screens of each company that stays. */
const SCREENS = 3;
/**
 * Process faults hit only the second worker and the second API. The measured processes experience only Redis faults and
 * closed connections.
 */
const WEIGHTS = {
  'worker killed': 2,
  'worker terminated': 1,
  'worker frozen': 2,
  'gateway killed': 2,
  'gateway terminated': 1,
  'gateway frozen': 1,
  'redis frozen': 1,
};

export interface Load {
  probes: LatencyProbes;
  counts: () => Record<string, number>;
  violations: () => string[];
  /** Ends the load, waits until everything is published, and compares every screen with the list. */
  end: (settleMs: number) => Promise<void>;
}

export interface LoadOptions {
  minutes: number;
  random: (name: string) => Random;
  print: (line: string) => void;
}

/** Starts bots, screens, short-lived dashboards, companies that come and go, deploys and faults. */
export async function startLoad(testbed: Testbed, options: LoadOptions): Promise<Load> {
  const { fleet, ledger, workload, world } = testbed;
  const { minutes, random, print } = options;
  const measuredUrl = fleet.gateways[0]!.balancer!.url;
  const screens = await openScreensOf(testbed);
  const deployment = await openDeployment(world);
  const faults = startFaults(testbed, options);
  const churn = startChurn(deployment, { everyMs: (minutes * 60_000) / CHURN_STEPS, onStep: print });
  const visits = startVisits(testbed, random('visits'), VISITORS);
  const companies = startCompanies({
    world,
    deployment,
    measuredUrl,
    random: random('companies'),
    concurrency: COMPANIES,
  });
  const measured = await startLatencyProbe({
    world,
    url: measuredUrl,
    key: () => API_KEY,
    token: (companyId) => world.token(companyId, '24h'),
    random: random('latency'),
  });
  const deployed = await startLatencyProbe({
    world,
    ...deployment,
    random: random('latency of the deployment'),
  });
  const work = workload.work();
  const problems: string[] = [];
  const parts = [deployment, churn, visits, companies, measured, deployed];

  return {
    probes: { measured, deployed },
    counts: () => ({
      'emissions accepted': ledger.acceptedCount + companies.emissions,
      'emissions shown': screens.shown,
      'short-lived dashboards': visits.count,
      'companies gone': companies.gone,
      deploys: churn.counts.deploy,
      'scalings up': churn.counts.scaleUp,
      'scalings down': churn.counts.scaleDown,
      rotations: churn.counts.rotate,
      'processes started': deployment.started + startedBy(testbed),
      faults: faults.records.length,
    }),
    violations: () => [
      ...problems,
      ...testbed.violations(),
      ...violationsOf(screens),
      ...parts.flatMap(({ violations }) => violations),
    ],
    async end(settleMs) {
      workload.stop();
      const ended = [churn, visits, companies, measured, deployed, faults].map((part) => part.end());
      await Promise.all([work, ...ended]);
      const { problem } = await testbed.settle(settleMs);
      if (problem !== undefined) problems.push(problem);
      await eventually(
        'every screen to equal the list',
        async () => (await screens.differences(measuredUrl)).length === 0,
        settleMs,
      ).catch((error: unknown) => problems.push((error as Error).message));
    },
  };
}

/** Opens the screens that stay, with tokens that outlive the slice. */
async function openScreensOf({ fleet, workload, world }: Testbed): Promise<Screens> {
  const urls = fleet.gateways.map(({ balancer }) => balancer!.url);
  const places = workload.companyIds.flatMap((companyId, company) =>
    Array.from({ length: SCREENS }, (_, screen) => ({
      companyId,
      url: urls[(company + screen) % urls.length]!,
    })),
  );
  const screens = await openScreens({
    world: { ...world, token: (companyId) => world.token(companyId, '24h') },
    places,
  });
  return world.keep(screens, screens.close);
}

function startFaults({ fleet, ledger, redis }: Testbed, { minutes, random, print }: LoadOptions) {
  return startFaultInjection({
    fleet: { workers: fleet.workers.slice(1), gateways: fleet.gateways.slice(1) },
    redis,
    random: random('faults'),
    everyMs: (minutes * 60_000) / FAULTS,
    weights: WEIGHTS,
    settled: ledger.settled,
    onFault: (fault, what) => {
      print(`${fault} ${what}`);
    },
  });
}

const startedBy = ({ fleet }: Testbed): number =>
  fleet.workers.length + fleet.gateways.length + fleet.restarts.worker + fleet.restarts.gateway;

/** Redis is not restarted, so no screen needs a reload. */
const violationsOf = ({ violations, reloads }: Screens): string[] => [
  ...violations,
  ...Object.entries(reloads).map(([reason, count]) => `${count} reloads because of "${reason}"`),
];
