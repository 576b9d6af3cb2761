import { ConfigError } from '../config.ts';
import { errorMessage } from '../errors.ts';
import { readBasePath } from '../settings/values.ts';
import type { AttachOptions, EmissionsOptions, SocketIoServer } from './options.ts';

/*
 * Checks of what an application passes. One written in JavaScript may pass anything, and nothing may be opened before.
 */

/** @throws ConfigError with every problem */
export function checkOptions(options: EmissionsOptions): void {
  const { connection, redis, settings, io, companyOf, scopeOf, userOf } = objectOf<EmissionsOptions>(options);
  throwIfAny([
    ...(isConnection(connection)
      ? []
      : ['connection must be a connection of mongoose, such as mongoose.connection']),
    ...(typeof redis === 'string' && redis !== ''
      ? []
      : ['redis must be the URL of a Redis server, such as redis://localhost:6379']),
    ...Object.entries(settings ?? {}).flatMap(([name, value]: [string, unknown]) =>
      value === undefined || typeof value === 'string'
        ? []
        : [`settings: ${name} must be text, but is of type ${typeof value}`],
    ),
    ...(io === undefined ? [] : problemsOfAttach(io, { companyOf, scopeOf, userOf })),
  ]);
}

/** @throws ConfigError with every problem */
export function checkAttach(io: SocketIoServer, options: AttachOptions): void {
  throwIfAny(problemsOfAttach(io, objectOf<AttachOptions>(options)));
}

/** @throws ConfigError if `companyOf`, or `scopeOf` if it is given, is not a function */
export function checkRouter(options: object): void {
  const { companyOf, scopeOf } = objectOf<Record<'companyOf' | 'scopeOf', unknown>>(options);
  throwIfAny([
    ...problemsOfCompanyOf(companyOf, '(req) => req.user.companyId'),
    ...problemsOfOptional('scopeOf', scopeOf, '(req) => ({ staffId: req.user.id })'),
  ]);
}

/**
 * Reads the path of the operator's page, such as `/emissions`.
 * @throws ConfigError if the options are no object, or the path is not a path
 */
export function readAdminPath(options: unknown): string {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError([
      `adminRouter takes an object, such as { path: '/emissions' }, not ${describe(options)}`,
    ]);
  }
  const { path = '/emissions' } = options as { path?: unknown };
  if (typeof path !== 'string') {
    throw new ConfigError([`path must be text, such as '/emissions', not ${describe(path)}`]);
  }
  try {
    const read = readBasePath(path);
    if (read !== undefined) return read;
  } catch (error) {
    throw new ConfigError([`path ${errorMessage(error)}`]);
  }
  throw new ConfigError(['path must name a path, such as /emissions']);
}

function describe(given: unknown): string {
  if (given === null) return 'null';
  return Array.isArray(given) ? 'a list' : `a value of type ${typeof given}`;
}

function problemsOfAttach(
  io: unknown,
  { companyOf, scopeOf, userOf }: Partial<Record<keyof AttachOptions, unknown>>,
): string[] {
  const { of, use, on } = objectOf<Record<'of' | 'use' | 'on', unknown>>(io);
  const isServer = [of, use, on].every((method) => typeof method === 'function');
  return [
    ...(isServer ? [] : ['io must be a Socket.IO server: new Server(httpServer)']),
    ...problemsOfCompanyOf(companyOf, '(socket) => socket.data.user.companyId'),
    ...problemsOfOptional('scopeOf', scopeOf, '(socket) => ({ staffId: socket.data.user.id })'),
    ...problemsOfOptional('userOf', userOf, '(socket) => socket.data.user.id'),
  ];
}

function problemsOfOptional(name: string, given: unknown, example: string): string[] {
  const isUsable = given === undefined || typeof given === 'function';
  return isUsable ? [] : [`${name} must be a function, such as ${example}`];
}

function problemsOfCompanyOf(companyOf: unknown, example: string): string[] {
  return typeof companyOf === 'function' ? [] : [`companyOf must be a function, such as ${example}`];
}

function isConnection(given: unknown): boolean {
  const { readyState, base, on, collection } =
    objectOf<Record<'readyState' | 'base' | 'on' | 'collection', unknown>>(given);
  return (
    typeof readyState === 'number' &&
    typeof base === 'object' &&
    typeof on === 'function' &&
    typeof collection === 'function'
  );
}

function objectOf<Shape>(given: unknown): Partial<Shape> {
  return typeof given === 'object' && given !== null ? given : {};
}

function throwIfAny(problems: string[]): void {
  if (problems.length > 0) throw new ConfigError(problems);
}
