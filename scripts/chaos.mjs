import './node-version.mjs';
import { runTrial } from './run-trial.mjs';

await runTrial('chaos', 'test/chaos/main.ts', { built: true });
