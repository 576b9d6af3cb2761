import './node-version.mjs';
import { runTrial } from './run-trial.mjs';

await runTrial('test:faults', 'trials/faults/main.ts');
