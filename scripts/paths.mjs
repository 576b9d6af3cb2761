import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const PROJECT_DIR = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Everything that npm start and npm test create. git ignores it; it may be deleted at any time. */
export const RUNTIME_DIR = join(PROJECT_DIR, '.runtime');
