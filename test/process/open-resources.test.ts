import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { openResources } from '../../src/resources/open-resources.ts';
import { ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';

let service: ServiceHandle;
let redis: Redis;
beforeAll(async () => {
  service = await ownRedis();
  redis = new Redis(service.url);
});
afterAll(async () => {
  redis.disconnect();
  await service.stop();
});

test('if a part of the resources cannot be opened, the connections that are open are closed', async () => {
  const open = () =>
    openResources({
      config: loadWorkerConfig({ REDIS_URL: service.url, MONGODB_URI: 'mongodb://127.0.0.1/unused' }),
      model: DEFAULT_MODEL,
      role: 'worker',
      connect: () => {
        throw new Error('another version of mongoose');
      },
      logger: pino({ level: 'silent' }),
      tracing: undefined,
    });
  expect(open).toThrow('another version of mongoose');
  // Redis accepts connections in their order.
  const later = new Redis(service.url);
  await later.ping();
  await eventually('the connections to be closed', async () => (await clients()) === 2);
  later.disconnect();
});

async function clients(): Promise<number> {
  return Number(/^connected_clients:(\d+)/m.exec(await redis.info('clients'))![1]);
}
