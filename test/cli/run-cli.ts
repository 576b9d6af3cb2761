import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT_DIR } from '../../scripts/paths.mjs';
import { childEnv } from '../harness/child-env.ts';
import { programCode } from '../harness/processes.ts';

export interface CliResult {
  code: number;
  out: string;
  err: string;
}

/** Runs `emissions …` as a process. */
export function runCli(env: Record<string, string>, ...args: string[]): Promise<CliResult> {
  const { nodeArgs, folder, extension } = programCode();
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...nodeArgs, join(folder, `src/cli/emissions.${extension}`), ...args],
      { cwd: PROJECT_DIR, env: childEnv(env) },
      (error, out, err) => {
        resolve({ code: error ? Number(error.code) : 0, out, err });
      },
    );
  });
}
