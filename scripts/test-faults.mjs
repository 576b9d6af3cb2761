import './node-version.mjs';
import { runTrial } from './run-trial.mjs';

await runTrial('test:faults', 'test/fault-table/main.ts');
