#!/usr/bin/env node
import { ConfigError, loadApiConfig } from '../config.ts';
import { AppError, errorMessage } from '../errors.ts';
import { loadModel } from '../model/load-model.ts';
import { ModelError } from '../model/parse-model.ts';
import { readBuildInfo } from '../process/build-info.ts';
import { isUnavailable } from '../process/unavailable.ts';
import { type Command, readCommandLine } from './command-line.ts';
import { exitWhenWritten } from './exit-when-written.ts';

/** The command line is wrong. */
const WRONG_USAGE = 2;
/** The command works, but must run again. */
const INCOMPLETE = 3;

// The reader of a pipe, such as head, may end first.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
const { env } = process;
await exitWhenWritten(await runCommandLine());

async function runCommandLine(): Promise<number> {
  const commandLine = readCommandLine(process.argv.slice(2));
  if ('command' in commandLine) return runOrExplain(commandLine.command);
  if ('problem' in commandLine) {
    process.stderr.write(`${commandLine.problem}\n`);
    return WRONG_USAGE;
  }
  print('help' in commandLine ? commandLine.help : readBuildInfo().version);
  return 0;
}

async function runOrExplain(command: Command): Promise<number> {
  try {
    return await run(command);
  } catch (error) {
    const isOurs = error instanceof AppError || error instanceof ConfigError || error instanceof ModelError;
    const advice = isUnavailable(error) ? ': run it again when the server is available' : '';
    const failed = `emissions ${command.name} failed: ${errorMessage(error)}${advice}`;
    process.stderr.write(`${isOurs ? error.message : failed}\n`);
    return 1;
  }
}

/** Each command loads its own modules: `--help` and `token` need no database driver. @returns the exit code */
async function run({ name, argument, options }: Command): Promise<number> {
  switch (name) {
    case 'status': {
      const { readStatus, STATES } = await import('./read-status.ts');
      const { state, text } = await readStatus(env);
      print(text);
      return STATES[state].code;
    }
    case 'doctor': {
      const { examine, formatFindings } = await import('./doctor.ts');
      const findings = await examine(env, options.worker === undefined ? 'api' : 'worker');
      print(formatFindings(findings));
      return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
    }
    case 'token': {
      const { signToken } = await import('./sign-token.ts');
      const config = loadApiConfig(env);
      print(await signToken(config, await loadModel(config.EMISSIONS_MODEL), options));
      return 0;
    }
    case 'operator-hash': {
      const { readAndHashPassword } = await import('./operator-hash.ts');
      print(await readAndHashPassword());
      return 0;
    }
    case 'queue':
    case 'retry':
    case 'retry-failed':
    case 're-emit':
    case 'erase': {
      const { runChange } = await import('./run-change.ts');
      const { text, isComplete } = await runChange(env, { name, argument, options });
      print(text);
      return isComplete ? 0 : INCOMPLETE;
    }
    default:
      return name satisfies never;
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
