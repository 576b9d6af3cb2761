import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { isTimeZone, OBJECT_ID } from '@appointment-emissions/contracts';
import type { CalendarContext } from './calendar.ts';

/** Settings of the command. */
export interface McpSettings {
  context: CalendarContext;
  /** Path of the module whose default export opens the calendar. */
  calendarModule: string;
  /** Without it the command serves standard input and output. */
  http: { host: string; port: number; token: string; allowedHosts: string[] } | undefined;
  backendUrl: string | undefined;
  apiKey: string;
}

/** Each problem of the arguments and the environment. */
export class SettingsError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

const OPTIONS = {
  calendar: { type: 'string' },
  company: { type: 'string' },
  customer: { type: 'string' },
  'time-zone': { type: 'string' },
  http: { type: 'string' },
  help: { type: 'boolean' },
} as const;
const HOST_NAME = /^[a-z0-9.-]+$/i;
const MIN_TOKEN_LENGTH = 32;
const TOKEN = new RegExp(`^[\\x21-\\x7e]{${MIN_TOKEN_LENGTH},}$`);

export const USAGE = `Serves the appointments of one customer to a language model (Model Context Protocol).

appointment-emissions-mcp --calendar <module> --company <id> --customer <id> [--time-zone <name>] [--http [<host>:]<port>]

An option overrides its variable:
  --calendar   MCP_CALENDAR     path of a JavaScript module whose default export opens the calendar
  --company    MCP_COMPANY_ID   24 hexadecimal characters
  --customer   MCP_CUSTOMER_ID  24 hexadecimal characters
  --time-zone  MCP_TIME_ZONE    IANA name; default UTC
  --http       MCP_HTTP         serve HTTP at this address, such as 127.0.0.1:3002, instead of standard input and output

Variables only:
  INTERNAL_SERVICE_API_KEY      key of the internal API
  BACKEND_API_URL               address of the API; default http://localhost:3001
  MCP_TOKEN                     with --http: bearer token of the clients, at least ${MIN_TOKEN_LENGTH} characters
  MCP_ALLOWED_HOSTS             with --http behind a proxy: names in the Host header, separated by commas
`;

/**
 * Reads the settings of the command.
 * @param args without the program and the script
 * @returns 'help' if the arguments contain `--help`
 * @throws SettingsError that names each problem
 */
export function readSettings(args: string[], env: NodeJS.ProcessEnv): McpSettings | 'help' {
  const options = parse(args);
  if (options.help) return 'help';
  const problems: string[] = [];
  const required = (value: string | undefined, what: string): string => {
    if (!value) problems.push(`${what} is required`);
    return value ?? '';
  };
  const requiredId = (value: string | undefined, what: string): string => {
    const id = required(value, what);
    if (id && !OBJECT_ID.test(id)) problems.push(`${what} must be 24 hexadecimal characters`);
    return id.toLowerCase();
  };
  const timeZone = options['time-zone'] ?? (env.MCP_TIME_ZONE || 'UTC');
  if (!isTimeZone(timeZone)) problems.push('MCP_TIME_ZONE must be an IANA time zone such as Europe/Berlin');
  const settings = {
    calendarModule: required(options.calendar ?? env.MCP_CALENDAR, 'MCP_CALENDAR'),
    context: {
      companyId: requiredId(options.company ?? env.MCP_COMPANY_ID, 'MCP_COMPANY_ID'),
      customerId: requiredId(options.customer ?? env.MCP_CUSTOMER_ID, 'MCP_CUSTOMER_ID'),
      timeZone,
    },
    http: readHttp(options.http ?? env.MCP_HTTP, env, problems),
    backendUrl: env.BACKEND_API_URL || undefined,
    apiKey: required(env.INTERNAL_SERVICE_API_KEY, 'INTERNAL_SERVICE_API_KEY'),
  };
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    throw new SettingsError([(error as Error).message]);
  }
}

function readHttp(
  address: string | undefined,
  env: NodeJS.ProcessEnv,
  problems: string[],
): McpSettings['http'] {
  if (!address) return undefined;
  const [, bracketed, name, digits] = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? name ?? '127.0.0.1';
  const port = Number(digits);
  if (!(port < 65_536) || !(isIP(host) > 0 || HOST_NAME.test(host)))
    problems.push('MCP_HTTP must be a port or <host>:<port>, such as 127.0.0.1:3002 or [::1]:3002');
  const token = env.MCP_TOKEN ?? '';
  if (!TOKEN.test(token))
    problems.push(
      `MCP_TOKEN is required with MCP_HTTP: at least ${MIN_TOKEN_LENGTH} characters of visible ASCII`,
    );
  const allowedHosts = (env.MCP_ALLOWED_HOSTS ?? '')
    .split(',')
    .map((given) => given.trim())
    .filter(Boolean);
  if (!allowedHosts.every((given) => HOST_NAME.test(given)))
    problems.push('MCP_ALLOWED_HOSTS must be names without scheme and port, separated by commas');
  return { host, port, token, allowedHosts };
}
