import { existsSync } from 'node:fs';
import { relative } from 'node:path';

// Preloaded by the commands that run from dist/: without a build, Node would print only a stack.
const [, entry = ''] = process.argv;
if (!existsSync(entry)) {
  console.error(`${relative('.', entry)} does not exist: run "npm run build" first`);
  process.exit(1);
}
