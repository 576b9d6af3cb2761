import { afterEach, expect, test } from '@jest/globals';
import { createEnqueue } from '../../src/queue/producer.ts';
import { PRIORITY } from '../../src/queue/retry-policy.ts';
import type { Shard } from '../../src/queue/shards.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
afterEach(() => world.close());

test('the second try of an add without a reply goes to the shard of the first one', async () => {
  world = await createWorld({ shards: 2 });
  let uses = 0;
  const tried: Shard[] = [];
  const enqueue = createEnqueue({
    // As if the number of shards in Redis became known between the tries.
    shardOf: () => world.shards[uses++]!,
    redis: world.redis,
    policy: { attempts: 1, firstRetryDelayMs: 50 },
    addDirect: (_job, _options, shard) =>
      tried.push(shard) === 1 ? Promise.reject(new Error('Command timed out')) : Promise.resolve(true),
    remember: () => undefined,
  });
  const emission = {
    ...{ event: 'appointment:updated' as const, emissionId: 'an-emission' },
    ...{ appointmentId: 'a'.repeat(24), companyId: 'c'.repeat(24), acceptedAt: new Date().toISOString() },
  };
  expect(await enqueue([emission], PRIORITY.live)).toEqual(['live']);
  expect(tried.map(({ index }) => index)).toEqual([0, 0]);
});
