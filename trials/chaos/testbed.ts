import { throughProxy } from '../../test/harness/tcp-proxy.ts';
import type { ApiLimits } from '../../src/settings/limits.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { eventually, until } from '../../test/harness/until.ts';
import { createWorld, type World } from '../../test/harness/world.ts';
import { streamIsOpen } from './capture-owner.ts';
import { type Environment, openEnvironment } from './faults/environment.ts';
import { startFleet, type Fleet } from './fleet.ts';
import type { History } from './history/record-history.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { ChaosOptions } from './options.ts';
import { openScreens, type Screens, type ScreensDeps } from './screens.ts';
import { openWorkload, type Workload, type WorkloadDeps } from './workload.ts';

/** The servers, processes, bots and dashboards of one run, and a ledger of the accepted emissions. */
export interface Testbed {
  redis: ServiceHandle;
  mongo: ServiceHandle;
  environment: Environment;
  world: World;
  fleet: Fleet;
  ledger: Ledger;
  workload: Workload;
  screens: Screens;
  /** Waits until every accepted emission is published or failed, retries the failed ones once, and compares every screen with the list. */
  settle: (deadlineMs: number) => Promise<Settled>;
  /** All violations of a guarantee found so far. */
  violations: () => string[];
  /** Closes everything. An error is passed to `onError` instead of thrown, so that the results of the run are kept. */
  close: (onError?: (error: unknown) => void) => Promise<void>;
}

export interface Settled {
  /** Number of failed jobs by failure reason, before the retry. */
  failed: Record<string, number>;
  /** The reason if the testbed did not settle within the deadline. */
  problem?: string;
}

export interface TestbedDeps {
  options: ChaosOptions;
  /** Additional environment variables of all processes. */
  env?: Record<string, string>;
  /** Lowered limits of the APIs. */
  limits?: Partial<ApiLimits>;
  /** Places proxies between the fleet and its servers. By default the fleet connects directly. */
  proxies?: (servers: { redis: string; mongo: string }) => Promise<Proxies>;
  /** Indexes of the gateways that bots call and that dashboards connect to. Default: all. */
  gatewaysOf?: { bots: number[]; screens: number[] };
  onCallResult?: WorkloadDeps['onCallResult'];
  onShown?: ScreensDeps['onShown'];
  /** Records what bots, jobs and screens do. */
  history?: History;
  /** Called with the reason if a kind of fault is not possible on this machine. */
  onMissing?: (what: string) => void;
}

/** The URLs under which the fleet reaches Redis and MongoDB. */
export interface Proxies {
  redis: string;
  mongo: string;
  close: () => Promise<void>;
}

/**
 * The acceptable reasons for a reload: Redis was restarted, or a network fault lasted too long. Company logs and replays are long
 * enough for all others.
 */
const ACCEPTABLE_RELOADS = { usual: ['epoch'], all: ['epoch', 'unavailable'] };

export async function openTestbed(deps: TestbedDeps): Promise<Testbed> {
  const { options, env = {}, limits = {}, proxies, gatewaysOf, onCallResult, onShown } = deps;
  const { history, onMissing = () => undefined } = deps;
  const closers: (() => unknown)[] = [];
  const close: Testbed['close'] = async (onError = () => undefined) => {
    for (const closeOne of closers.splice(0).reverse()) {
      try {
        await closeOne();
      } catch (error) {
        onError(error);
      }
    }
  };
  try {
    const environment = await openEnvironment({ options, keep: (end) => closers.push(end), onMissing });
    const { redis, mongo, redisUrl, disks } = environment;
    const proxied = await proxies?.({ redis: redis.url, mongo: mongo.url });
    if (proxied) closers.push(proxied.close);
    const world = await createWorld({
      redisUrl,
      mongoUri: mongo.url,
      env: {
        RECONCILE_INTERVAL_MS: options.sweep ? '2000' : '0',
        CAPTURE: options.capture ? 'change-stream' : 'off',
        COMPANY_LOG_MAX: '1000000',
        // The ledger reads the lines of all emissions at the end.
        LOG_FILES: '25',
        ...(disks && { LOG_DIR: disks.log.dir }),
        ...env,
      },
      limits: {
        MAX_REPLAYED_EMISSIONS: 10_000,
        // The comparison of screens with the list loads the list repeatedly.
        MAX_LISTS_PER_VIEWER_PER_SECOND: 100_000,
        ...limits,
      },
    });
    closers.push(() => world.close());
    const fleet = await startFleet(world, {
      ...options,
      envOf: (slot) =>
        proxied
          ? {
              REDIS_URL: proxied.redis,
              MONGODB_URI: throughProxy(world.env['MONGODB_URI']!, Number(new URL(proxied.mongo).port)),
            }
          : environment.envOf(slot, world.env),
    });
    closers.push(fleet.close);
    if (options.capture) await streamIsOpen(world);
    const ledger = createLedger(world, history?.ended);
    closers.push(ledger.close);
    const urls = fleet.gateways.map(({ balancer }) => balancer!.url);
    const urlsOf = (indexes: number[] | undefined) => indexes?.map((index) => urls[index]!) ?? urls;
    const [botUrls, screenUrls] = [urlsOf(gatewaysOf?.bots), urlsOf(gatewaysOf?.screens)];
    const workload = await openWorkload({
      world,
      options,
      urls: botUrls,
      onAccepted(emissionId) {
        ledger.recordAccepted(emissionId);
        history?.accepted(emissionId);
      },
      onWritten: history?.written,
      onCallResult,
    });
    const places = workload.companyIds.flatMap((companyId, company) =>
      Array.from({ length: options.screens }, (_, screen) => ({
        companyId,
        url: screenUrls[(company + screen) % screenUrls.length]!,
      })),
    );
    const screens = await openScreens({ world, places, onShown, history });
    closers.push(screens.close);

    const equal = (deadlineMs: number) =>
      eventually(
        'every screen to equal the list',
        async () => {
          const differences = await screens.differences(screenUrls[0]!);
          if (differences.length > 0) throw new Error(differences.slice(0, 5).join('; '));
          return true;
        },
        deadlineMs,
      );
    const allEnded = (deadlineMs: number) =>
      until('every accepted emission to be published or failed', ledger.settled(), deadlineMs);
    await equal(options.settleTimeoutMs);

    return {
      redis,
      mongo,
      environment,
      world,
      fleet,
      ledger,
      workload,
      screens,
      async settle(deadlineMs) {
        const failed: Record<string, number> = {};
        try {
          await allEnded(deadlineMs);
          for (const reason of ledger.failed.values()) failed[reason] = (failed[reason] ?? 0) + 1;
          if ((await ledger.retryFailed()) > 0) await allEnded(deadlineMs);
          await ledger.checkLogForLost();
          await equal(deadlineMs);
          return { failed };
        } catch (error) {
          return { failed, problem: (error as Error).message };
        }
      },
      violations: () => [
        // A history has more evidence of what was published.
        ...(history ? [] : [...ledger.lost].map((id) => `emission ${id} was accepted but lost`)),
        ...[...ledger.failed].map(([id, reason]) => `emission ${id} failed again: ${reason}`),
        ...fleet.unexpectedExits.map((exit) => `a process exited unexpectedly: ${exit}`),
        ...Object.entries(screens.reloads)
          .filter(([reason]) => !ACCEPTABLE_RELOADS[options.faults].includes(reason))
          .map(([reason, count]) => `${count} reloads were required because of "${reason}"`),
        ...(history ? [] : screens.violations),
      ],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
