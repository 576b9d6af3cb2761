import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { SOURCE_CONDITION } from '../../scripts/source-args.mjs';
import { RUNTIME_DIR } from '../../scripts/paths.mjs';
import { freshDir } from '../../test/harness/own-services.ts';
import type { MutatedFile } from './mutated-files.ts';

/** Stryker's reports, by file. It tests a mutant again only if its code or a test of it has changed. */
const RESULTS_DIR = join(RUNTIME_DIR, 'stryker');

/** A mutant in Stryker's report. */
interface Mutant {
  mutatorName: string;
  replacement: string;
  status: string;
  location: { start: { line: number; column: number } };
}

export interface FileResult {
  file: string;
  mutants: readonly Mutant[];
}

/** Makes the mutants of one file in a copy of the code, and runs the tests of the file against each. */
export async function mutateFile({ file, tests }: MutatedFile): Promise<void> {
  mkdirSync(RESULTS_DIR, { recursive: true });
  await new Stryker({
    mutate: [file],
    // Not jest.config.js: its global setup would start servers for each mutant.
    ignorePatterns: ['**', '!packages/**', '!src/**', '!test/**', '!*.json'],
    tempDirName: freshDir('stryker'),
    testRunner: 'jest',
    testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    jest: { projectType: 'custom', config: jestConfig(tests), enableFindRelatedTests: false },
    coverageAnalysis: 'perTest',
    concurrency: 1,
    // On a busy machine tests that would fail also take long. Only an endless loop should time out.
    timeoutMS: 60_000,
    incremental: true,
    incrementalFile: resultPath(file),
    // The code is TypeScript, but jest does not check its types.
    disableTypeChecks: false,
    reporters: ['progress-append-only'],
  }).runMutationTest();
}

/**
 * Jest loads the modules here, not Node, since Stryker sets the mutant in them. Packages of ours are those of the copy: node_modules
 * links to the original ones.
 */
function jestConfig(tests: readonly string[]) {
  return {
    testEnvironment: 'node',
    testEnvironmentOptions: { customExportConditions: [SOURCE_CONDITION, 'node', 'node-addons'] },
    extensionsToTreatAsEsm: ['.ts'],
    transform: {
      '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
    },
    // Jest lists the files below its roots before each mutant.
    roots: [...new Set(tests.map((test) => `<rootDir>/${dirname(test)}`))],
    watchman: false,
    testMatch: tests.map((test) => `<rootDir>/${test}.test.ts`),
    moduleNameMapper: {
      '^@appointment-emissions/(bot|contracts|dashboard|mcp)$': '<rootDir>/packages/$1/src/index.ts',
    },
  };
}

/** The last result of a file; `undefined` if there is none. */
export function readResult(file: string): FileResult | undefined {
  if (!existsSync(resultPath(file))) return undefined;
  const report = JSON.parse(readFileSync(resultPath(file), 'utf8')) as {
    files: Record<string, { mutants: Mutant[] } | undefined>;
  };
  return { file, mutants: report.files[file]?.mutants ?? [] };
}

function resultPath(file: string): string {
  return join(RESULTS_DIR, `${file.replaceAll('/', '-')}.json`);
}
