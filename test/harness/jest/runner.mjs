import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
// @ts-expect-error: it has no types
import circus from 'jest-circus/runner';
import { register as registerTypeScript } from 'tsx/esm/api';
import { setGlobals } from './globals.mjs';

registerTypeScript();
register('./globals.mjs', import.meta.url);

/** The constructors of JavaScript itself: `Error`, `Map`, `String` and so on. */
const CONSTRUCTORS = /** @type {string[]} */ (
  runInNewContext('Object.getOwnPropertyNames(globalThis)')
).filter((name) => typeof Reflect.get(globalThis, name)?.prototype === 'object');

/**
 * What this file uses of Jest's runtime.
 * @typedef {object} Runtime
 * @property {(file: string) => boolean} unstable_shouldLoadAsEsm
 * @property {(file: string) => Promise<unknown>} unstable_importModule
 * @property {(from: string, name: '@jest/globals') => import('./globals.mjs').Globals} requireModuleOrMock
 * @property {() => void} restoreAllMocks
 */

/**
 * Jest's `testRunner`, in which Node imports the test file. Without it Jest would load every module again for every test
 * file, in a context for each file, which takes more time than most tests. So test files of one process share modules
 * and global objects: a test restores what it changes there. Variables of the environment and spies are restored here.
 * @type {(config: unknown, project: unknown, environment: { global: any, handleTestEvent?: unknown, fakeTimersModern: any }, runtime: Runtime, file: string,
 *   send?: unknown) => Promise<unknown>}
 */
export default async function runTestFile(config, project, environment, runtime, file, send) {
  // Jest's matchers stay in a context. They must see an error of a test file as an instance of their `Error`.
  for (const name of CONSTRUCTORS) environment.global[name] = Reflect.get(globalThis, name);
  environment.handleTestEvent = nameFrames;
  const FakeTimers = environment.fakeTimersModern.constructor;
  environment.fakeTimersModern = new FakeTimers({ config: project, global: globalThis });
  // Node maps the lines of a stack to the sources unless this is set.
  Reflect.deleteProperty(Error, 'prepareStackTrace');
  runtime.unstable_shouldLoadAsEsm = () => true;
  runtime.unstable_importModule = (path) => {
    setGlobals(runtime.requireModuleOrMock(path, '@jest/globals'));
    return import(pathToFileURL(path).href);
  };
  const env = { ...process.env };
  try {
    return await circus.default(config, project, environment, runtime, file, send);
  } finally {
    runtime.restoreAllMocks();
    restoreEnv(env);
  }
}

/**
 * Jest leaves out frames that Node calls `<anonymous>`, such as a test function's.
 * @param {{ error?: unknown }} event
 */
function nameFrames({ error }) {
  if (error instanceof Error && error.stack)
    error.stack = error.stack.replaceAll('at <anonymous> (', 'at Object.<anonymous> (');
}

/** @param {NodeJS.ProcessEnv} before */
function restoreEnv(before) {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
}
