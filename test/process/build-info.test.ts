import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readBuildInfo } from '../../src/process/build-info.ts';

const NAME = 'appointment-emission-pipeline';
const COMMIT = 'c0ffee'.repeat(6) + 'c0ff';

let dir: string;
/** Outside of this repository, whose package would be found in a folder above. */
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'build-info-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** Writes a package with this manifest and this file of the commit. Returns the folder of its code. */
function writeBuild(manifest: string, commit: string): string {
  const code = join(dir, 'dist/src/process');
  mkdirSync(code, { recursive: true });
  writeFileSync(join(dir, 'package.json'), manifest);
  writeFileSync(join(dir, 'dist/commit'), commit);
  return code;
}

test.each([
  ['a version', JSON.stringify({ name: NAME, version: '1.2.3' }), COMMIT, '1.2.3', COMMIT],
  ['no version', JSON.stringify({ name: NAME, version: 7 }), COMMIT, 'unknown', COMMIT],
  ['no commit', JSON.stringify({ name: NAME, version: '1.2.3' }), '', '1.2.3', undefined],
  [
    'a text instead of a commit',
    JSON.stringify({ name: NAME, version: '1.2.3' }),
    'main',
    '1.2.3',
    undefined,
  ],
  ['half a file', '{"name": "appo', COMMIT, 'unknown', undefined],
  ['another value', 'null', COMMIT, 'unknown', undefined],
])('a build with %s in its files has build info', (_, manifest, file, version, commit) => {
  expect(readBuildInfo(writeBuild(manifest, file))).toEqual({
    version,
    commit,
    node: process.versions.node,
  });
});
