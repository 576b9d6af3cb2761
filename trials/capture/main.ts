import { ownMongo, ownRedis } from '../../test/harness/own-services.ts';
import { parseOptions } from './options.ts';
import { report } from './report.ts';
import { runCapture } from './run-capture.ts';
import { measureLatency } from './latency.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const options = parseOptions(process.argv.slice(2));
  print(`seed ${options.seed}`);
  const [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
  const servers = { redisUrl: redis.url, mongoUri: mongo.url };
  const latencies = options.edits > 0 ? await measureLatency(servers, options.edits) : [];
  const { lines, failed } = report(await runCapture(servers, options, print), latencies);
  for (const line of lines) print(line);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`capture: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
// Exit even if something could not be closed.
process.exit();
