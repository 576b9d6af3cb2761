/**
 * `@jest/globals` for test files that Node imports. Jest makes these functions for each test file, but Node keeps modules
 * such as the harness for the whole process: an import follows the variable to the functions of the current file.
 *
 * @typedef {Pick<typeof import('@jest/globals'), 'afterAll' | 'afterEach' | 'beforeAll' | 'beforeEach' | 'describe' |
 *   'expect' | 'jest' | 'test'>} Globals
 */
/** @type {Globals['afterAll']} */ export let afterAll;
/** @type {Globals['afterEach']} */ export let afterEach;
/** @type {Globals['beforeAll']} */ export let beforeAll;
/** @type {Globals['beforeEach']} */ export let beforeEach;
/** @type {Globals['describe']} */ export let describe;
/** @type {Globals['expect']} */ export let expect;
/** @type {Globals['jest']} */ export let jest;
/** @type {Globals['test']} */ export let test;

/** @param {Globals} globals  of the test file that is imported next */
export const setGlobals = (globals) => {
  ({ afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } = globals);
};

/**
 * Hook of Node that resolves `@jest/globals` to this file.
 * @type {import('node:module').ResolveHook}
 */
export const resolve = (specifier, context, next) =>
  specifier === '@jest/globals' ? { url: import.meta.url, shortCircuit: true } : next(specifier, context);
