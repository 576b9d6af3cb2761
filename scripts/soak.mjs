import './node-version.mjs';
import { runTrial } from './run-trial.mjs';

await runTrial('soak', 'trials/soak/main.ts');
