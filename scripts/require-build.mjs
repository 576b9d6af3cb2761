import { existsSync } from 'node:fs';
import { relative } from 'node:path';

// Preloaded by the npm scripts that run from dist/. They read .env, as `npm start` does: the environment has priority.
if (existsSync('.env')) process.loadEnvFile();
if (!existsSync(process.argv[1] ?? '')) {
  console.error(`${relative('.', process.argv[1] ?? '')} does not exist: run "npm run build" first`);
  process.exit(1);
}
