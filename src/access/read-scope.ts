import { z } from 'zod';
import { OBJECT_ID } from '@appointment-emissions/contracts';
import { boundedList } from '../domain/bounded.ts';
import { SCOPE_FIELDS, type ViewerScope } from '../domain/scope.ts';
import { AppError } from '../errors.ts';
import { type AppointmentModel, ownFields } from '../model/appointment-model.ts';

/** Reads a scope that a token or an application gives. Undefined means the whole company. @throws AppError SCOPE_INVALID */
export type ParseScope = (given: unknown) => ViewerScope | undefined;

const MAX_IDS = 1_000;
const MAX_HIDDEN = 200;

const id = z
  .string()
  .regex(OBJECT_ID)
  .transform((hex) => hex.toLowerCase());
const ids = z
  .union(
    [id.transform((one) => [one]), boundedList(id, MAX_IDS)],
    'must be an id or a list of ids, each of 24 hexadecimal characters',
  )
  .transform(sorted);

/**
 * A scope that cannot be read must never mean the whole company. So null, an empty object, unknown keys and paths, and fields
 * that the model does not have are all refused.
 */
export function createParseScope(model: AppointmentModel): ParseScope {
  const paths = hideablePaths(model);
  const fields = new Set([
    ...model.references.map(({ field }) => field),
    ...ownFields(model).flatMap(({ name, type }) => (type === 'id' ? name : [])),
  ]);
  const path = z
    .string()
    .refine((name) => paths.has(name), 'is not a path of the snapshot that can be hidden');
  const schema = z.strictObject({
    staffId: ids.optional(),
    locationId: ids.optional(),
    hide: boundedList(path, MAX_HIDDEN).transform(sorted).optional(),
  });

  return (given) => {
    if (given === undefined) return undefined;
    const { data: scope, error } = schema.safeParse(given);
    if (!scope) throw invalid(problemOf(error));
    for (const field of SCOPE_FIELDS) {
      if (scope[field] && !fields.has(field)) throw invalid(`appointments have no id or reference ${field}`);
    }
    const { staffId: staffIds, locationId: locationIds, hide = [] } = scope;
    if (!staffIds && !locationIds && hide.length === 0) {
      throw invalid('it restricts nothing: omit it to show the whole company');
    }
    return {
      ...(staffIds && { staffIds }),
      ...(locationIds && { locationIds }),
      hidden: hide.map((name) => name.split('.') as [string, string?]),
      id: JSON.stringify([staffIds ?? null, locationIds ?? null, hide]),
    };
  };
}

/**
 * Runs an application's `scopeOf`, and reads its result.
 * @param onFault  called with what `scopeOf` throws, and with a result that is no scope
 * @throws AppError SCOPE_INVALID for both
 */
export async function readScope<Login>(
  {
    scopeOf,
    parseScope,
    onFault,
  }: { scopeOf: ScopeOf<Login>; parseScope: ParseScope; onFault: OnScopeFault },
  login: Login,
): Promise<ViewerScope | undefined> {
  try {
    return parseScope(await scopeOf(login));
  } catch (error) {
    onFault(error);
    if (error instanceof AppError && error.code === 'SCOPE_INVALID') throw error;
    // What scopeOf throws may contain claims.
    throw new AppError('SCOPE_INVALID', 'scopeOf failed for this login', { cause: error });
  }
}

/** Names the scope of a login: a scope, undefined for the whole company, or a promise of either. */
export type ScopeOf<Login> = (login: Login) => unknown;
export type OnScopeFault = (error: unknown) => void;

/** Without duplicates: equal scopes must have one id. */
function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** All but `_id`, `companyId` and the `_id` of references. They identify what is on the screen. */
function hideablePaths(model: AppointmentModel): ReadonlySet<string> {
  return new Set([
    ...model.references.flatMap(({ field, fields }) => [
      field,
      ...fields.map(({ name }) => `${field}.${name}`),
    ]),
    ...ownFields(model).map(({ name }) => name),
  ]);
}

function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  // Without the given values: they are text of the token's issuer.
  const place =
    issue?.path
      .map(String)
      .filter((part) => /^\w{1,20}$/.test(part))
      .join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') return 'it may contain staffId, locationId and hide only';
  if (issue?.code === 'invalid_type' && place === '') {
    return "it must be an object; tokens with a scope of another kind, such as OAuth's, need scopeOf";
  }
  return `${place === '' ? 'it' : place} ${issue?.message ?? 'cannot be read'}`;
}

function invalid(problem: string): AppError {
  return new AppError('SCOPE_INVALID', `the scope cannot be read: ${problem}`);
}
