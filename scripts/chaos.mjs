import './node-version.mjs';
import { runTrial } from './run-trial.mjs';

await runTrial('chaos', 'trials/chaos/main.ts', { built: true });
