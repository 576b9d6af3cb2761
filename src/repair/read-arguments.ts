import { parseArgs } from 'node:util';
import { cut, singleLine } from '@appointment-emissions/contracts';

export const USAGE = `Usage: npm run emissions -- <command>
  retry <emission id>
  retry-failed --since <time> [--until <time>] [--code <error code>] [--limit <n>] [--dry-run]
  re-emit --company <id> | --appointment <id> --since <time> [--limit <n>] [--dry-run]

A time is ISO 8601 with its zone, or an age such as 90s, 30m, 2h, 3d. --dry-run only reports the number of emissions.
The environment names the servers as it does for the worker: MONGODB_URI, REDIS_URL, QUEUE_PREFIX.`;

/** A repair and its request, which is not checked yet. */
export interface RepairCommand {
  repair: 'retry' | 'retryFailed' | 'reEmit';
  request: Record<string, unknown>;
}

const OPTIONS = {
  since: { type: 'string' },
  until: { type: 'string' },
  code: { type: 'string' },
  limit: { type: 'string' },
  company: { type: 'string' },
  appointment: { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const;

const REPAIRS = {
  retry: 'retry',
  'retry-failed': 'retryFailed',
  're-emit': 'reEmit',
} as const satisfies Record<string, RepairCommand['repair']>;

/** Reads the command line. */
export function readArguments(args: readonly string[]): RepairCommand | { problem: string } {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return { problem: quoted((error as Error).message) };
  }
  const [word = '', emissionId, ...rest] = parsed.positionals;
  if (!Object.hasOwn(REPAIRS, word))
    return { problem: word === '' ? 'Which command?' : `There is no command ${quoted(word)}.` };
  const repair = REPAIRS[word as keyof typeof REPAIRS];
  if (rest.length > 0 || (repair !== 'retry' && emissionId !== undefined)) {
    return { problem: `${word} takes no ${quoted(rest[0] ?? emissionId ?? '')}.` };
  }
  const { company, appointment, limit, 'dry-run': dryRun, ...others } = parsed.values;
  return {
    repair,
    request: {
      ...(emissionId !== undefined && { emissionId }),
      ...others,
      ...(company !== undefined && { companyId: company }),
      ...(appointment !== undefined && { appointmentId: appointment }),
      ...(limit !== undefined && { limit: Number(limit) }),
      ...(dryRun !== undefined && { dryRun }),
    },
  };
}

/** The user's text, shortened to one line. */
function quoted(text: string): string {
  return singleLine(cut(text, 200));
}
