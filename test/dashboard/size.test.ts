import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { SOURCE_CONDITION } from '../../scripts/source-args.mjs';

const PACKAGE = new URL('../../packages/dashboard/', import.meta.url);
/** What an application adds to its bundle, by the name in the README. */
const PARTS: Record<string, { entry: string; external: string[] }> = {
  'library, without socket.io-client': { entry: 'src/index.ts', external: ['socket.io-client'] },
  'library and hook, without socket.io-client and React': {
    entry: 'src/adapters/react.ts',
    external: ['socket.io-client', 'react'],
  },
  'library with socket.io-client': { entry: 'src/index.ts', external: [] },
};
const MAX_DIFFERENCE_KB = 0.3;

/** Size of a part, minified and compressed with gzip. */
async function sizeKb({ entry, external }: { entry: string; external: string[] }): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, PACKAGE))],
    external,
    bundle: true,
    minify: true,
    format: 'esm',
    conditions: [SOURCE_CONDITION],
    write: false,
  });
  return gzipSync(outputFiles[0]!.contents).length / 1_000;
}

test.each(Object.entries(PARTS))('the README has the size of: %s', async (name, part) => {
  const readme = readFileSync(new URL('README.md', PACKAGE), 'utf8');
  const row = readme.split('\n').find((line) => line.includes(`| ${name} `)) ?? '';
  const stated = Number(/([\d.]+) kB/.exec(row)?.[1]);
  const measured = await sizeKb(part);
  expect({ name, measured, isAsStated: Math.abs(measured - stated) <= MAX_DIFFERENCE_KB }).toEqual({
    name,
    measured,
    isAsStated: true,
  });
});
