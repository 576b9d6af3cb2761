import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { CONTROLS } from './controls.ts';
import { without } from './run-control.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

test.each(CONTROLS)(
  '$defence: can be taken out, and its test is there',
  ({ file, takeOut, putIn, test, name }) => {
    expect(without(read(file), takeOut, putIn)).toContain(putIn);
    expect(read(test)).toContain(name);
  },
);
