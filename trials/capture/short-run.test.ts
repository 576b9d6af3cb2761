import { expect, test } from '@jest/globals';
import { ownMongo, ownRedis } from '../../test/harness/own-services.ts';
import { parseOptions } from './options.ts';
import { report } from './report.ts';
import { runCapture } from './run-capture.ts';

test('the owner of the change stream is killed, then frozen beyond its lease: every screen equals the database, and only the worker with the lease saves resume tokens', async () => {
  const [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
  try {
    const options = parseOptions(['--writes', '150', '--pause-ms', '800', '--fault-every-ms', '2000']);
    const servers = { redisUrl: redis.url, mongoUri: mongo.url };
    const { lines, failed } = report(await runCapture(servers, options, () => undefined), []);
    expect(
      [`seed ${options.seed}`, ...lines].filter((line) => failed > 0 || line.startsWith('FAILED')),
    ).toEqual([]);
  } finally {
    await Promise.all([redis.stop(), mongo.stop()]);
  }
}, 300_000);
