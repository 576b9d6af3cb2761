import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface CliResult {
  code: number;
  out: string;
  err: string;
}

/** Runs `emissions …` as a process, from its source. */
export function runCli(env: Record<string, string>, ...args: string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...SOURCE_ARGS, 'src/cli/emissions.ts', ...args],
      { cwd: ROOT, env: childEnv(env) },
      (error, out, err) => {
        resolve({ code: error ? Number(error.code) : 0, out, err });
      },
    );
  });
}
