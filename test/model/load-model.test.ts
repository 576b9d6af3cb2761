import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { loadModel } from '../../src/model/load-model.ts';
import { childEnv } from '../harness/child-env.ts';
import { writeModule } from './write-model.ts';

const DESCRIPTION = `{ collection: 'visits', references: {} }`;

test('without a module the default model applies', async () => {
  expect(await loadModel(undefined)).toBe(DEFAULT_MODEL);
});

test.each([
  ['default.mjs', `export default ${DESCRIPTION}`],
  ['named.mjs', `export const model = ${DESCRIPTION}`],
])('a description is the default export or the export model: %s', async (name, text) => {
  expect(await loadModel(writeModule(text, name))).toMatchObject({ collection: 'visits' });
});

test.each([
  ['other.mjs', 'export const other = 1', /neither a default export nor an export named model/],
  ['wrong.mjs', 'export default { collection: 7 }', /wrong\.mjs is not usable:\n {2}- collection: must be/],
  ['throws.mjs', 'throw new Error("no secret")', /the module cannot be loaded: no secret/],
  ['throws-null.mjs', 'throw null', /the module cannot be loaded: null/],
  ['throws-bare.mjs', 'throw Object.create(null)', /the module cannot be loaded: unknown error/],
  [
    'getter.mjs',
    'export default { get collection() { throw new Error("no such setting") } }',
    /the description cannot be read: no such setting/,
  ],
])('%s is refused with the setting, the file and the reason', async (name, text, message) => {
  const file = writeModule(text, name);
  await expect(loadModel(file)).rejects.toThrow(message);
  await expect(loadModel(file)).rejects.toThrow(`EMISSIONS_MODEL ${file} is not usable`);
});

test('a module that does not exist is refused', async () => {
  await expect(loadModel('./no-such-model.js')).rejects.toThrow(/cannot be loaded: .*no-such-model/);
});

test('a process that runs from TypeScript sources loads a .ts module, by a path from its working directory', async () => {
  const script = `import { loadModel } from './src/model/load-model.ts';
    const { collection, canceledStatuses } = await loadModel('test/model/backend-model.ts');
    console.log(collection, canceledStatuses.join());`;
  const args = [...SOURCE_ARGS, '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: childEnv({}) });
  expect(stdout).toBe('appointments canceled,no_show\n');
});
