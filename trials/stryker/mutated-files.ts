/** A source file whose tests need no server, and these tests. */
export interface MutatedFile {
  file: string;
  /** Test files, without `.test.ts`. Stryker runs only these for the mutants of this file. */
  tests: readonly string[];
}

export const MUTATED_FILES: readonly MutatedFile[] = [
  { file: 'packages/dashboard/src/reorder-buffer.ts', tests: ['test/dashboard/reorder-buffer'] },
  { file: 'packages/dashboard/src/screen.ts', tests: ['test/dashboard/screen'] },
  { file: 'packages/dashboard/src/parse.ts', tests: ['test/dashboard/parse'] },
  { file: 'packages/contracts/src/instant.ts', tests: ['test/contracts/instant'] },
  { file: 'src/process/bulk-share.ts', tests: ['test/process/bulk-share', 'test/process/bulk-pacer'] },
  { file: 'src/process/bulk-pacer.ts', tests: ['test/process/bulk-pacer', 'test/process/bulk-share'] },
  { file: 'src/sweep/sweep.ts', tests: ['test/sweep/decisions'] },
  { file: 'src/sweep/left-out.ts', tests: ['test/sweep/decisions'] },
];
