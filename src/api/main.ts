import { loadApiConfig } from '../config.ts';
import { runApi } from './run-api.ts';

await runApi(() => ({ config: loadApiConfig(process.env) }));
