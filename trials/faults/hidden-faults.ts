import type { Arena } from '../chaos/arena.ts';
import { freeze } from '../../test/harness/own-services.ts';
import { eventually } from '../../test/harness/until.ts';
import { MONGO_AWAY, REDIS_AWAY, type Scenario } from './scenario.ts';

/** The library is stale after 25 s without a position or a heartbeat. */
const SCREENS_SAY_SO_WITHIN_MS = 40_000;

/** Faults that nobody notices unless the product says so. */
export const HIDDEN_FAULTS: readonly Scenario[] = [
  {
    fault: 'Both queues are paused',
    answers: [],
    seen: 'Screens hear nothing. `/health`, `/admin`, `emission_queue_paused` and the workers’ logs say so.',
    async inflict({ arena }) {
      const { queue, bulk } = arena.world;
      await Promise.all([queue.pause(), bulk.pause()]);
      await eventually('/health to say so', async () =>
        (await warningsOf(arena)).includes('queue is paused'),
      );
      return async () => {
        await Promise.all([queue.resume(), bulk.resume()]);
      };
    },
  },
  {
    fault: 'MongoDB is frozen until the screens say so',
    answers: [MONGO_AWAY],
    provokes: MONGO_AWAY,
    seen: 'Within 10 s screens say since when they are not live; after it they are live by themselves.',
    async inflict({ arena }) {
      const { mongo, shop } = arena;
      shop.holdWrites(true);
      await freeze(mongo);
      await screensSaySo(arena);
      return async () => {
        await mongo.kill('SIGCONT');
        shop.holdWrites(false);
      };
    },
  },
  {
    fault: 'Redis is frozen until the screens say so',
    answers: [REDIS_AWAY],
    provokes: REDIS_AWAY,
    seen: 'Within 25 s screens say since when they are not live; after it they are live by themselves.',
    async inflict({ arena }) {
      await freeze(arena.redis);
      await screensSaySo(arena);
      return () => arena.redis.kill('SIGCONT');
    },
  },
];

async function warningsOf({ fleet }: Arena): Promise<string> {
  const response = await fetch(`${fleet.gateways[0]!.board!.url}/health`);
  return JSON.stringify(((await response.json()) as { warnings: string[] }).warnings);
}

const screensSaySo = ({ screens }: Arena): Promise<unknown> =>
  eventually(
    'no screen to be live',
    () => screens.states().every((state) => state !== 'live'),
    SCREENS_SAY_SO_WITHIN_MS,
  );
