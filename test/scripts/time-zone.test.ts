import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

const SETTINGS = new URL('../../scripts/start/settings.ts', import.meta.url).href;

test.each([
  ['Europe/Berlin', 'Europe/Berlin'],
  ['', 'UTC'],
  ['Nowhere/Else', 'UTC'],
])('on a machine whose TZ is "%s", npm start shows the demo in %s', (TZ, expected) => {
  const script = `const { timeZoneOfMachine } = await import('${SETTINGS}'); process.stdout.write(timeZoneOfMachine());`;
  const args = [...SOURCE_ARGS, '--input-type=module', '-e', script];
  const env = childEnv({ TZ });
  expect(execFileSync(process.execPath, args, { env, encoding: 'utf8' })).toBe(expected);
});
