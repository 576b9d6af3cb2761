import { run } from '../process/run.mjs';
import { PROJECT_DIR } from '../paths.mjs';
import { SOURCE_ARGS } from '../source-args.mjs';

const ENTRY = 'demo/seed.ts';

/**
 * Puts the demo company's data into a database of ours; what is there already stays.
 * @param {string} mongodbUri
 * @param {string} timeZone  of the company
 * @returns {Promise<{ companyId: string, appointmentId: string }>}
 */
export async function seed(mongodbUri, timeZone) {
  const args = [...SOURCE_ARGS, ENTRY, mongodbUri, timeZone];
  const seeding = await run(process.execPath, args, { cwd: PROJECT_DIR });
  if (!seeding.ok) throw new Error(`the demo data could not be written:\n${seeding.excerpt}`);
  return JSON.parse(seeding.stdout.trim().split('\n').at(-1) ?? '');
}
