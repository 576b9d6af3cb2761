import { parseArgs } from 'node:util';
import { ownMongo, ownRedis } from '../../test/harness/own-services.ts';
import { runFuzz } from './run-fuzz.ts';
import { SURFACES, type SurfaceName } from './surfaces.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
  });
  const [surface = ''] = positionals;
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  if (!Object.hasOwn(SURFACES, surface)) throw new Error(`name one of ${Object.keys(SURFACES).join(', ')}`);
  if (!(minutes > 0) || !Number.isSafeInteger(seed))
    throw new Error('--minutes needs a number above 0, --seed a whole number');
  const [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
  // As for tests: the world gives the processes the users of ops/redis/users.acl.
  Object.assign(process.env, { TEST_REDIS_URL: redis.url, TEST_MONGODB_URI: mongo.url });
  print(`${surface}, seed ${seed}`);
  const result = await runFuzz({
    surface: surface as SurfaceName,
    minutes,
    seed,
    onFailure: (error) => {
      print(`failed, now looking for the smallest input: ${String(error)}`);
    },
  });
  print(`${result.executions} executions; growth: ${result.growth}`);
  for (const [outcome, count] of Object.entries(result.outcomes).sort()) print(`  ${count} × ${outcome}`);
  if (result.finding !== undefined) print(`FINDING ${result.finding}`);
  process.exitCode = result.finding === undefined ? 0 : 1;
} catch (error) {
  process.stderr.write(`fuzz: ${(error as Error).stack}\n`);
  process.exitCode = 1;
}
// Exit even if something could not be closed.
process.exit();
