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
  const before = await connectionsReceived();
  expect(open).toThrow('another version of mongoose');
  await eventually('the connections to be opened', async () => (await connectionsReceived()) > before);
  await eventually('the connections to be closed', async () => (await clients()) === 1);
});

const infoNumber = async (section: string, field: string) =>
  Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(await redis.info(section))![1]);
const connectionsReceived = () => infoNumber('stats', 'total_connections_received');
const clients = () => infoNumber('clients', 'connected_clients');
