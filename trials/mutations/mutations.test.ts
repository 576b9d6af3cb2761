import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { MUTATIONS } from './mutations.ts';
import { applyMutation } from './run-mutation.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

test.each(MUTATIONS)(
  '“$safeguard” can be removed from the code, and its test exists',
  ({ file, find, replace, test, name }) => {
    expect(applyMutation(read(file), { find, replace })).toContain(replace);
    expect(read(test)).toContain(name);
  },
);
