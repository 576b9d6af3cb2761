import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../../test/harness/child-env.ts';

/** Runs `npm run check:order`, also of a copy of the code, and resolves to its exit code and what it prints. */
export async function runMain(
  args: readonly string[],
  cwd?: string,
): Promise<{ code: number; output: string }> {
  const env = childEnv({ TEST_RUN_DIR: process.env['TEST_RUN_DIR'] });
  const main = spawn(process.execPath, [...SOURCE_ARGS, 'trials/checker/main.ts', ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [main.stdout, main.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(main, 'close')) as [number];
  return { code, output };
}
