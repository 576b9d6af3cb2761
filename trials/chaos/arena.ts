import type { ServiceHandle } from '../../scripts/services/service.mjs';
import { ownMongo, ownRedis } from '../../test/harness/own-services.ts';
import { eventually, until } from '../../test/harness/until.ts';
import { createWorld, type World } from '../../test/harness/world.ts';
import { startFleet, type Fleet } from './fleet.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { ChaosOptions } from './options.ts';
import { openScreens, type Screens, type ScreensDeps } from './screens.ts';
import { openShop, type Shop, type ShopDeps } from './shop.ts';

/** Servers, processes, bots and screens of one run, and a ledger of what was accepted. */
export interface Arena {
  redis: ServiceHandle;
  mongo: ServiceHandle;
  world: World;
  fleet: Fleet;
  ledger: Ledger;
  shop: Shop;
  screens: Screens;
  /** Resolves when all that was accepted has ended, and every screen equals the list. What failed is retried once. */
  settle: (deadlineMs: number) => Promise<Settled>;
  /** Everything that a guarantee forbids, as far as it was seen until now. */
  violations: () => string[];
  /** What was found out is not lost to a server that a busy machine ends late: `onFault` is told, and the rest ended. */
  close: (onFault?: (error: unknown) => void) => Promise<void>;
}

export interface Settled {
  /** Words of failed jobs, and how many had them, before they were retried. */
  failed: Record<string, number>;
  /** Why it did not settle. */
  fault?: string;
}

export interface ArenaDeps {
  options: ChaosOptions;
  /** Settings of all processes. */
  env?: Record<string, string>;
  /** Where the fleet finds its servers, for ways that can be disturbed; else straight. */
  ways?: (servers: { redis: string; mongo: string }) => Promise<Ways>;
  /** Which of the gateways bots call, and dashboards connect to; default: all. */
  seats?: { bots: number[]; screens: number[] };
  onAnswer?: ShopDeps['onAnswer'];
  onShown?: ScreensDeps['onShown'];
}

/** Addresses of Redis and MongoDB, as the fleet is told. */
export interface Ways {
  redis: string;
  mongo: string;
  close: () => Promise<void>;
}

/** The only reason that a reload may be announced for: logs and replays are long enough here, so Redis was restarted. */
const HONEST_RELOAD = 'epoch';

export async function openArena(deps: ArenaDeps): Promise<Arena> {
  const { options, env = {}, ways, seats, onAnswer, onShown } = deps;
  const closers: (() => unknown)[] = [];
  const close: Arena['close'] = async (onFault = () => undefined) => {
    for (const end of closers.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        onFault(error);
      }
    }
  };
  try {
    const [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
    closers.push(
      () => redis.stop(),
      () => mongo.stop(),
    );
    const way = await ways?.({ redis: redis.url, mongo: mongo.url });
    if (way) closers.push(way.close);
    const world = await createWorld({
      redisUrl: redis.url,
      mongoUri: mongo.url,
      env: {
        RECONCILE_INTERVAL_MS: options.dyingBots > 0 ? '2000' : '0',
        COMPANY_LOG_MAX: '1000000',
        REPLAY_MAX: '10000',
        // Screens are compared with the list over and over.
        LISTS_PER_TOKEN: '100000',
        ...env,
      },
    });
    closers.push(() => world.close());
    const fleet = await startFleet(world, {
      ...options,
      env: way ? { REDIS_URL: way.redis, MONGODB_URI: throughWay(world.env['MONGODB_URI']!, way.mongo) } : {},
    });
    closers.push(fleet.close);
    const ledger = createLedger(world);
    closers.push(ledger.close);
    const urls = fleet.gateways.map(({ board }) => board!.url);
    const at = (chosen: number[] | undefined) => chosen?.map((index) => urls[index]!) ?? urls;
    const [botUrls, screenUrls] = [at(seats?.bots), at(seats?.screens)];
    const shop = await openShop({ world, options, urls: botUrls, onAccepted: ledger.accepted, onAnswer });
    const places = shop.companyIds.flatMap((companyId, company) =>
      Array.from({ length: options.screens }, (_, screen) => ({
        companyId,
        url: screenUrls[(company + screen) % screenUrls.length]!,
      })),
    );
    const screens = await openScreens({ world, places, onShown });
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
    const ended = (deadlineMs: number) => until('all that was accepted to end', ledger.settled(), deadlineMs);
    await equal(options.settleMs);

    return {
      redis,
      mongo,
      world,
      fleet,
      ledger,
      shop,
      screens,
      async settle(deadlineMs) {
        const failed: Record<string, number> = {};
        try {
          await ended(deadlineMs);
          for (const words of ledger.failed.values()) failed[words] = (failed[words] ?? 0) + 1;
          if ((await ledger.retryFailed()) > 0) await ended(deadlineMs);
          await ledger.lookUpLost();
          await equal(deadlineMs);
          return { failed };
        } catch (error) {
          return { failed, fault: (error as Error).message };
        }
      },
      violations: () => [
        ...[...ledger.lost].map((id) => `emission ${id} was accepted and is lost`),
        ...[...ledger.failed].map(([id, words]) => `emission ${id} failed again: ${words}`),
        ...fleet.ownEnds.map((how) => `a process ended by itself: ${how}`),
        ...Object.entries(screens.reloads)
          .filter(([reason]) => reason !== HONEST_RELOAD)
          .map(([reason, times]) => `${times} reloads were needed for "${reason}"`),
        ...screens.violations,
      ],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The database's address, with the way's host and port, and the driver kept from going past it. */
function throughWay(uri: string, way: string): string {
  const [url, { host }] = [new URL(uri), new URL(way)];
  url.host = host;
  url.searchParams.set('directConnection', 'true');
  return url.href;
}
