import { parseArgs } from 'node:util';
import { cut, singleLine } from '@appointment-emissions/contracts';

/** Options of all commands. A string has a value; `word` names it in the help. */
const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
  worker: { type: 'boolean' },
  live: { type: 'boolean' },
  bulk: { type: 'boolean' },
  company: { type: 'string' },
  appointment: { type: 'string' },
  sub: { type: 'string' },
  scope: { type: 'string' },
  hours: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  code: { type: 'string' },
  limit: { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const;

type OptionName = keyof typeof OPTIONS;

interface CommandSpec {
  /** What follows the name of the command. */
  usage: string;
  summary: string;
  options: readonly OptionName[];
  /** Words that may follow the command: a list, any single word, or none. */
  argument?: readonly string[] | 'any';
}

const COMMANDS = {
  status: {
    usage: '',
    summary:
      'Prints the state of servers, processes and queues. Exit code 0: all is well, 3: warnings, 1: down.',
    options: [],
  },
  doctor: {
    usage: '[--worker]',
    summary:
      'Checks settings and servers of an API, or of a worker, and prints what to correct. Exit code 1: an error.',
    options: ['worker'],
  },
  token: {
    usage: '--company <id> [--sub <user>] [--scope <json>] [--hours <n>]',
    summary:
      'Prints a token for a dashboard of the company, signed with SOCKET_JWT_SECRET; valid for 1 hour.',
    options: ['company', 'sub', 'scope', 'hours'],
  },
  'operator-hash': {
    usage: '',
    summary: 'Reads a password from the standard input and prints its hash for a line of OPERATORS_FILE.',
    options: [],
  },
  queue: {
    usage: 'pause|resume [--live | --bulk]',
    summary: 'Pauses or resumes one queue, or both, for all workers. Emissions are still accepted.',
    options: ['live', 'bulk'],
    argument: ['pause', 'resume'],
  },
  retry: {
    usage: '<emission id>',
    summary: 'Retries one failed emission.',
    options: [],
    argument: 'any',
  },
  'retry-failed': {
    usage: '--since <time> [--until <time>] [--code <error code>] [--limit <n>] [--dry-run]',
    summary: 'Retries the emissions that failed in a period, oldest first.',
    options: ['since', 'until', 'code', 'limit', 'dry-run'],
  },
  're-emit': {
    usage: '--company <id> | --appointment <id> --since <time> [--limit <n>] [--dry-run]',
    summary: 'Emits the newest state of the appointments that were written since a time.',
    options: ['company', 'appointment', 'since', 'limit', 'dry-run'],
  },
  erase: {
    usage: '--company <id> | --appointment <id> [--dry-run]',
    summary:
      'Removes the data of a company or an appointment from Redis. Remove it from MongoDB first. Exit code 3: run it again.',
    options: ['company', 'appointment', 'dry-run'],
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof COMMANDS;

/** A command and its arguments, whose values are not checked yet. */
export interface Command {
  name: CommandName;
  argument: string | undefined;
  options: Partial<Record<OptionName, string | true>>;
}

/** What the command line asks for. `problem` is one sentence for the user. */
export type CommandLine = { command: Command } | { help: string } | { version: true } | { problem: string };

/** Reads the command line. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? token.value : []));
  const given = tokens.filter((token) => token.kind === 'option');
  const has = (name: OptionName) => given.some((token) => token.name === name);
  const [first, ...rest] = words;
  if (has('version')) return { version: true };
  if (first === undefined || first === 'help') {
    const topic = rest[0] ?? '';
    if (first === 'help' || has('help')) return { help: isCommand(topic) ? helpOf(topic) : HELP };
    const [option] = given;
    return {
      problem: option ? `Unknown option ${quoted(option.rawName)}${seeHelp()}` : `Which command${seeHelp()}`,
    };
  }
  if (!isCommand(first)) {
    return { problem: `There is no command ${quoted(first)}${suggest(first, Object.keys(COMMANDS), '')}` };
  }
  if (has('help')) return { help: helpOf(first) };
  return readCommand(first, rest, given);
}

/** An option as parseArgs reads it. */
interface GivenOption {
  name: string;
  /** As it was written, such as `-h`. */
  rawName: string;
  value: string | undefined;
  /** Whether the value follows an equals sign. */
  inlineValue: boolean | undefined;
}

function readCommand(name: CommandName, rest: readonly string[], given: readonly GivenOption[]): CommandLine {
  const spec: CommandSpec = COMMANDS[name];
  const problems = [
    ...given.map((token) => problemOfOption(token, spec.options, name)),
    problemOfArgument(name, spec, rest),
  ];
  const problem = problems.find((found) => found !== undefined);
  if (problem !== undefined) return { problem };
  const options = Object.fromEntries(given.map((token) => [token.name, token.value ?? true]));
  return { command: { name, argument: rest[0], options } };
}

function problemOfOption(
  option: GivenOption,
  allowed: readonly OptionName[],
  command: CommandName,
): string | undefined {
  const { name, rawName, value, inlineValue } = option;
  const known = allowed.find((one) => one === name);
  if (known === undefined)
    return `${command} has no option ${quoted(rawName)}${suggest(name, allowed, '--', command)}`;
  if (OPTIONS[known].type === 'boolean')
    return value === undefined ? undefined : `${rawName} takes no value.`;
  // Without an equals sign, parseArgs takes the next option for the value.
  const isMissing = !value || (inlineValue !== true && value.startsWith('-'));
  return isMissing ? `${rawName} needs a value${seeHelp(command)}` : undefined;
}

function problemOfArgument(
  name: CommandName,
  { argument: expected }: CommandSpec,
  rest: readonly string[],
): string | undefined {
  const [argument, second] = rest;
  if (expected === undefined)
    return argument === undefined ? undefined : `${name} takes no ${quoted(argument)}${seeHelp(name)}`;
  if (argument === undefined) {
    const what = expected === 'any' ? 'the id of an emission' : expected.join(' or ');
    return `${name} needs ${what}${seeHelp(name)}`;
  }
  if (second !== undefined) return `${name} takes no ${quoted(second)}${seeHelp(name)}`;
  if (expected === 'any' || expected.includes(argument)) return undefined;
  return `${name} takes no ${quoted(argument)}${suggest(argument, expected, '', name)}`;
}

function seeHelp(command?: CommandName): string {
  return `: see "emissions ${command === undefined ? '' : `${command} `}--help".`;
}

/** The end of a sentence about an unknown word. */
function suggest(word: string, known: readonly string[], prefix: string, command?: CommandName): string {
  const near = nearest(word, known);
  return near === undefined ? seeHelp(command) : `: did you mean ${prefix}${near}?`;
}

const MAX_EDITS = 2;

/** The known word that differs least from `word`; `undefined` if none is similar. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const text = word.toLowerCase();
  const beginning = text.length > 1 ? known.find((one) => one.startsWith(text)) : undefined;
  if (beginning !== undefined) return beginning;
  const ranked = known
    .map((one) => ({ one, edits: editsBetween(text, one) }))
    .sort((a, b) => a.edits - b.edits);
  const [best] = ranked;
  return best && best.edits <= MAX_EDITS ? best.one : undefined;
}

/** Number of characters to insert, delete or replace (Levenshtein). */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, character] of Array.from(from.slice(0, 40)).entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (to[column - 1] === character ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function isCommand(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

const TIMES = 'A time is ISO 8601 with its zone, or an age such as 90s, 30m, 2h, 3d. --dry-run only counts.';
const ENVIRONMENT = 'The environment has the settings, as for the API and the worker.';

const HELP = `Usage: emissions <command>

${Object.entries(COMMANDS)
  .map(([name, { usage, summary }]) => `  ${`${name} ${usage}`.trimEnd()}\n      ${summary}`)
  .join('\n')}

  -h, --help     this text, or that of a command
  -V, --version  the version

${TIMES}
${ENVIRONMENT}`;

function helpOf(name: CommandName): string {
  const { usage, summary, options }: CommandSpec = COMMANDS[name];
  const notes = options.includes('since') ? [TIMES, ENVIRONMENT] : [ENVIRONMENT];
  return [`Usage: emissions ${name} ${usage}`.trimEnd(), '', summary, ...notes].join('\n');
}

/** The user's text, shortened to one line. */
function quoted(text: string): string {
  return singleLine(cut(text, 200));
}
