import { loadApiConfig } from '../config.ts';
import { runApi } from './run-api.ts';

runApi(() => ({ config: loadApiConfig(process.env) }));
