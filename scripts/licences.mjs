import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { PROJECT_DIR } from './paths.mjs';
import { renderLicences } from './licences/render.mjs';

const page = join(PROJECT_DIR, 'docs', 'reference', 'licences.md');
const lock = JSON.parse(readFileSync(join(PROJECT_DIR, 'package-lock.json'), 'utf8'));
writeFileSync(
  page,
  await format(renderLicences(lock), { ...(await resolveConfig(page)), parser: 'markdown' }),
);
