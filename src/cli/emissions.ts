import { ConfigError, loadWorkerConfig } from '../config.ts';
import { AppError, errorMessage } from '../errors.ts';
import { loadModel } from '../model/load-model.ts';
import { ModelError } from '../model/parse-model.ts';
import { readArguments, USAGE } from '../repair/read-arguments.ts';
import { runRepair } from './run-repair.ts';

const command = readArguments(process.argv.slice(2));
if ('problem' in command) {
  process.stderr.write(`${command.problem}\n\n${USAGE}\n`);
  process.exit(2);
}
try {
  const config = loadWorkerConfig(process.env);
  const report = await runRepair(config, await loadModel(config.EMISSIONS_MODEL), command);
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
} catch (error) {
  const ours = error instanceof AppError || error instanceof ConfigError || error instanceof ModelError;
  process.stderr.write(`${ours ? error.message : `the repair failed: ${errorMessage(error)}`}\n`);
  process.exitCode = 1;
}
