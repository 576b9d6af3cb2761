import './node-version.mjs';
import { runTrial } from './run-trial.mjs';

await runTrial('test:controls', 'trials/mutations/main.ts');
