import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

/** In what two fleets on one Redis server differ. */
const FLEETS: Record<string, (base: string, name: string) => Record<string, string>> = {
  'another database': (base, name) => ({ REDIS_URL: withDatabase(base, 5), QUEUE_PREFIX: `{${name}}` }),
  'another queue prefix': (base, name) => ({ REDIS_URL: base, QUEUE_PREFIX: `{${name}-b}` }),
};

let first: World;
const name = `fleet${process.pid}`;
const base = process.env['TEST_REDIS_URL']!;
beforeAll(async () => {
  first = await createFleet({ REDIS_URL: base, QUEUE_PREFIX: `{${name}}` });
}, 60_000);
afterAll(() => first.close());

test.each(Object.keys(FLEETS))(
  'fleets on one Redis server with %s do not receive each other’s live events, also of the same company',
  async (what) => {
    const second = await createFleet(FLEETS[what]!(base, name));
    try {
      const company = await first.documents.company();
      const appointmentId = await company.appointment();
      const [apiA, apiB] = await Promise.all([first.ready(first.api()), second.ready(second.api())]);
      first.worker();
      const near = await first.dashboard(apiA, company.companyId);
      const far = await second.dashboard(apiB, company.companyId);
      const heard: unknown[] = [];
      far.socket.onAny((event: string) => {
        if (event.startsWith('appointment:')) heard.push(event);
      });
      let reached = 0;
      near.socket.onAny((event: string) => {
        if (event.startsWith('appointment:')) reached += 1;
      });
      await first.emit(apiA, 'appointment-updated', appointmentId);
      await eventually('the own dashboard to receive it', () => reached > 0);
      // One server hands out messages in order: what had come for the other gateway would have come by the second.
      await first.emit(apiA, 'appointment-updated', appointmentId);
      await eventually('the own dashboard to receive both', () => reached > 1);
      expect(heard).toEqual([]);
    } finally {
      await second.close();
    }
  },
  60_000,
);

/** With the default name of its channels. */
async function createFleet(env: Record<string, string>): Promise<World> {
  return createWorld({ redisUrl: env['REDIS_URL']!, env: { ...env, SOCKET_ADAPTER_KEY: '' } });
}

function withDatabase(url: string, database: number): string {
  const address = new URL(url);
  address.pathname = `/${database}`;
  return address.href;
}
