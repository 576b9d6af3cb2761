import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readCommandLine } from '../../src/cli/command-line.ts';
import { runCli } from './run-cli.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const COMMANDS = [
  'status',
  'doctor',
  'token',
  'operator-hash',
  'queue',
  'retry',
  'retry-failed',
  're-emit',
  'erase',
];

test('--help prints every command, --version the version, both with exit code 0', async () => {
  const [help, shown] = await Promise.all([runCli({}, '--help'), runCli({}, '--version')]);
  expect(help).toMatchObject({ code: 0, err: '' });
  for (const command of COMMANDS) expect(help.out).toMatch(new RegExp(`^  ${command}( |$)`, 'm'));
  expect(shown).toEqual({ code: 0, err: '', out: `${version}\n` });
});

test.each(COMMANDS)('%s --help prints the usage of this command', (command) => {
  const expected = { help: expect.stringMatching(new RegExp(`^Usage: emissions ${command}\\b`)) };
  expect(readCommandLine([command, '--help'])).toEqual(expected);
  expect(readCommandLine(['help', command])).toEqual(expected);
});

test('a wrong command ends with code 2 and one sentence', async () => {
  expect(await runCli({}, 'stauts')).toEqual({
    code: 2,
    out: '',
    err: 'There is no command stauts: did you mean status?\n',
  });
});

test.each([
  [[], 'Which command: see "emissions --help".'],
  [['mend'], 'There is no command mend: see "emissions --help".'],
  [['re-try'], 'There is no command re-try: did you mean retry?'],
  [['doc'], 'There is no command doc: did you mean doctor?'],
  [['x'.repeat(10_000)], `There is no command ${'x'.repeat(200)}: see "emissions --help".`],
  [['\u001b[31mred\nline'], 'There is no command  [31mred line: see "emissions --help".'],
  [['constructor'], 'There is no command constructor: see "emissions --help".'],
  [['--sinse'], 'Unknown option --sinse: see "emissions --help".'],
  [['retry'], 'retry needs the id of an emission: see "emissions retry --help".'],
  [['retry', 'one', 'two'], 'retry takes no two: see "emissions retry --help".'],
  [['retry-failed', 'all'], 'retry-failed takes no all: see "emissions retry-failed --help".'],
  [['retry-failed', '--since'], '--since needs a value: see "emissions retry-failed --help".'],
  [['retry-failed', '--since', '--dry-run'], '--since needs a value: see "emissions retry-failed --help".'],
  [['retry-failed', '--since='], '--since needs a value: see "emissions retry-failed --help".'],
  [['retry-failed', '--sinse', '1h'], 'retry-failed has no option --sinse: did you mean --since?'],
  [['retry-failed', '--dry-run=yes'], '--dry-run takes no value.'],
  [['status', '--dry-run'], 'status has no option --dry-run: see "emissions status --help".'],
  [['status', '-x'], 'status has no option -x: see "emissions status --help".'],
  [['queue'], 'queue needs pause or resume: see "emissions queue --help".'],
  [['queue', 'puase'], 'queue takes no puase: did you mean pause?'],
])('%j is refused in one sentence', (args, problem) => {
  expect(readCommandLine(args)).toEqual({ problem });
});

test('options and arguments may come in any order', () => {
  const expected = { command: { name: 'queue', argument: 'pause', options: { bulk: true } } };
  for (const args of [
    ['queue', 'pause', '--bulk'],
    ['queue', '--bulk', 'pause'],
    ['--bulk', 'queue', 'pause'],
  ])
    expect(readCommandLine(args)).toEqual(expected);
});
