import './node-version.mjs';
import { runTrial } from './run-trial.mjs';

await runTrial('test:mutations', 'trials/mutations/main.ts');
