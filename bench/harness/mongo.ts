import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isMongoReady } from '../../scripts/services/mongo-ready.mjs';
import { startMongo } from '../../scripts/services/mongo.mjs';
import { startService, type ServiceHandle } from '../../scripts/services/service.mjs';
import { startOnFreePort } from '../../scripts/services/start-on-free-port.mjs';

const CRATE = { name: 'secantus-mdb', version: '0.5.3-beta.196' };

/** A MongoDB fast enough not to be what is measured: `secantusd-rs`, built once by cargo; else what `npm start` uses. */
export async function startBenchMongo(
  dir: string,
  toolsDir: string,
): Promise<ServiceHandle & { kind: string }> {
  const binary = process.env['BENCH_SECANTUS'] ?? buildOnce(toolsDir);
  if (binary === undefined) return Object.assign(await startMongo({ dir }), { kind: 'as npm start' });
  mkdirSync(join(dir, 'data'), { recursive: true });
  const service = await startOnFreePort(undefined, (port) =>
    startService({
      name: 'mongodb',
      dir,
      port,
      url: `mongodb://127.0.0.1:${port}`,
      command: binary,
      args: ['--port', String(port), '--storage-path', join(dir, 'data')],
      isReady: isMongoReady,
    }),
  );
  return Object.assign(service, { kind: `${CRATE.name} ${CRATE.version}` });
}

function buildOnce(toolsDir: string): string | undefined {
  const binary = join(toolsDir, 'bin', 'secantusd-rs');
  if (existsSync(binary)) return binary;
  try {
    process.stderr.write(`building ${CRATE.name} with cargo, once; it takes some minutes\n`);
    const args = [
      'install',
      CRATE.name,
      '--version',
      CRATE.version,
      '--ignore-rust-version',
      '--root',
      toolsDir,
    ];
    execFileSync('cargo', args, { stdio: 'ignore' });
    return binary;
  } catch {
    process.stderr.write(
      'cargo is not to be had: the MongoDB of npm start is used, and is the first limit\n',
    );
    return undefined;
  }
}
