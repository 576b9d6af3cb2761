import { DEFAULT_DESCRIPTION } from './default-model.ts';
import type { FieldDescription, FieldType, ModelDescription, ReferenceDescription } from './description.ts';
import { ModelError, objectAt, parseModel, type ReportProblem } from './parse-model.ts';

/** What is read of a mongoose model. The models of mongoose 8 and 9 have this shape. */
export interface MongooseModel {
  modelName: string;
  collection: { collectionName: string };
  schema: { path: (name: string) => unknown };
  /** The model's connection. */
  db: { models: Readonly<Record<string, unknown>> };
}

/** What mongoose's `populate` takes. `select` names the fields that are sent. */
export type PopulatePath =
  | string
  | {
      readonly path: string;
      readonly select?: string | readonly string[] | Readonly<Record<string, unknown>>;
      /** A model or its name, if the schema has no `ref`. */
      readonly model?: unknown;
    };

/** The parts of a description that mongoose's models and populate paths do not contain. */
export interface FromMongooseOptions extends Pick<
  ModelDescription,
  'companyField' | 'times' | 'status' | 'deletedField' | 'scopeOf'
> {
  /** Further fields of the appointment that are sent. Default: `locationId`, `source` and `notes` if the schema has them. */
  readonly fields?: readonly string[];
  /** References to documents that belong to all companies: their schemas need no company field. */
  readonly shared?: readonly string[];
}

/** One path to populate. */
interface PathToPopulate {
  /** Where it is in the argument, for problems: `populate[2]`. */
  at: string;
  field: string;
  select: unknown;
  model: unknown;
}

const POPULATE_KEYS = ['path', 'select', 'model'];
const OPTION_KEYS = ['companyField', 'times', 'status', 'deletedField', 'scopeOf', 'fields', 'shared'];
/** By the `instance` of a path in a schema. */
const TYPES: Readonly<Record<string, FieldType>> = {
  String: 'text',
  Number: 'number',
  Double: 'number',
  Int32: 'number',
  Decimal128: 'number',
  Boolean: 'boolean',
  Date: 'date',
  ObjectId: 'id',
};

/**
 * Describes appointments by the application's mongoose model and the paths that it populates. A path without `select` gets
 * the fields of the default model's reference of this name. A field's type follows from its schema.
 *
 * @example
 * ```ts
 * export default fromMongoose(
 *   Appointment,
 *   ['customerId', 'petId', { path: 'staffId', select: 'fullName role' }],
 *   { status: { canceled: ['canceled', 'no_show'] } },
 * );
 * ```
 * @throws ModelError with every problem
 */
export function fromMongoose(
  appointment: MongooseModel,
  populate: PopulatePath | readonly PopulatePath[],
  options: FromMongooseOptions = {},
): ModelDescription {
  if (!isModel(appointment)) {
    throw new ModelError(['appointment: must be a mongoose model, such as mongoose.model("Appointment")']);
  }
  const problems: string[] = [];
  const report: ReportProblem = (path, problem) => void problems.push(`${path}: ${problem}`);
  if (isDiscriminator(appointment)) {
    report(
      'appointment',
      `${appointment.modelName} is a discriminator: pass its base model, since all documents are read`,
    );
  }
  const given: FromMongooseOptions = objectAt('options', options, OPTION_KEYS, report) ? options : {};
  const { companyField = 'companyId', fields: givenFields, shared: givenShared, ...described } = given;
  const fields = namesAt('options.fields', givenFields, report);
  const shared = namesAt('options.shared', givenShared, report) ?? [];
  const references = new Map<string, ReferenceDescription>();
  const paths = pathsToPopulate(populate, report);
  for (const path of paths) {
    const referred = referredModel(appointment, path, report);
    if (references.has(path.field)) report(path.at, `"${path.field}" is populated twice`);
    if (!referred) continue;
    const isShared = shared.includes(path.field);
    if (!isShared) requireCompany(referred, path, companyField, report);
    references.set(path.field, {
      collection: referred.collection.collectionName,
      fields: selectedFields(referred, path, report),
    });
  }
  for (const field of shared) {
    if (!paths.some((path) => path.field === field)) report('options.shared', `"${field}" is not populated`);
  }
  const description: ModelDescription = {
    ...described,
    ...(given.companyField !== undefined && { companyField }),
    collection: appointment.collection.collectionName,
    references: Object.fromEntries(references),
    fields: (fields ?? standardFields(appointment)).flatMap(
      (name, index) => describeField(appointment, name, `fields[${index}]`, report) ?? [],
    ),
  };
  problems.push(...problemsOf(description, appointment));
  if (problems.length > 0) throw new ModelError(problems, `The model from ${appointment.modelName}`);
  return description;
}

/** A list of names in the options; `undefined` if it is not given. */
function namesAt(path: string, given: unknown, report: ReportProblem): string[] | undefined {
  if (given === undefined || given === null) return undefined;
  if (Array.isArray(given) && given.every((name) => typeof name === 'string')) return given;
  report(path, 'must be a list of names, such as ["notes"]');
  return undefined;
}

function pathsToPopulate(
  populate: PopulatePath | readonly PopulatePath[],
  report: ReportProblem,
): PathToPopulate[] {
  const list: readonly unknown[] = Array.isArray(populate) ? populate : [populate];
  return list.flatMap((entry, index) => {
    const at = `populate[${index}]`;
    const given: unknown = typeof entry === 'string' ? { path: entry } : entry;
    if (typeof given !== 'object' || given === null || !('path' in given) || typeof given.path !== 'string') {
      report(at, 'must be a path, or an object with path and select');
      return [];
    }
    for (const key of Object.keys(given)) {
      if (key === 'populate') report(at, 'populates a document inside a reference, which is not supported');
      else if (!POPULATE_KEYS.includes(key)) report(at, `"${key}" is not supported: remove it`);
    }
    const { path, select, model } = given as { path: string; select?: unknown; model?: unknown };
    return path
      .split(/\s+/)
      .filter(Boolean)
      .map((field) => ({ at, field, select, model }));
  });
}

function referredModel(
  appointment: MongooseModel,
  { at, field, model }: PathToPopulate,
  report: ReportProblem,
): MongooseModel | undefined {
  const type = schemaTypeOf(appointment, field);
  if (!type) {
    report(at, missingPath(appointment, field));
    return undefined;
  }
  if (type.instance !== 'ObjectId') {
    report(at, `"${field}" is of type ${type.instance}: only single ObjectIds can be populated`);
    return undefined;
  }
  if (type.refPath !== undefined) {
    report(at, `"${field}" has a refPath, which is not supported: its documents must be in one collection`);
    return undefined;
  }
  const ref = model ?? type.ref;
  if (isModel(ref)) return ref;
  if (typeof ref !== 'string') {
    report(at, `the schema of "${field}" has no ref with the name of a model: add model to this entry`);
    return undefined;
  }
  const referred = appointment.db.models[ref];
  if (isModel(referred)) return referred;
  report(at, `"${field}" refers to the model ${ref}, which the connection does not have: define it before`);
  return undefined;
}

/** Without a company field, documents of other companies would be sent. */
function requireCompany(
  referred: MongooseModel,
  { at, field }: PathToPopulate,
  companyField: string,
  report: ReportProblem,
): void {
  if (schemaTypeOf(referred, companyField)) return;
  report(
    at,
    `the schema of ${referred.modelName} has no "${companyField}": if its documents belong to all companies, add ` +
      `"${field}" to the option shared`,
  );
}

function selectedFields(
  referred: MongooseModel,
  { at, field, select }: PathToPopulate,
  report: ReportProblem,
): FieldDescription[] {
  const names = select === undefined ? defaultSelection(field) : namesOf(select);
  if (!names) {
    report(at, `"${field}" needs a select that names the fields to send, such as "name size"`);
    return [];
  }
  return names
    .filter((name) => name !== '_id')
    .flatMap((name) => describeField(referred, name, at, report) ?? []);
}

function defaultSelection(field: string): string[] | undefined {
  const references: Readonly<Record<string, ReferenceDescription>> = DEFAULT_DESCRIPTION.references;
  return Object.hasOwn(references, field) ? references[field]?.fields.map(nameOf) : undefined;
}

/** The names that a select includes; `undefined` if it excludes some, since then fields would be sent that it does not name. */
function namesOf(select: unknown): string[] | undefined {
  const names =
    typeof select === 'string'
      ? select.split(/\s+/).filter(Boolean)
      : Array.isArray(select)
        ? select.map(String)
        : Object.entries(select ?? {}).map(([name, value]) =>
            value === 1 || value === true ? name : `-${name}`,
          );
  const included = names.map((name) => name.replace(/^\+/, ''));
  return included.length === 0 || included.some((name) => name.startsWith('-')) ? undefined : included;
}

function standardFields(appointment: MongooseModel): string[] {
  return DEFAULT_DESCRIPTION.fields.map(nameOf).filter((name) => schemaTypeOf(appointment, name));
}

function describeField(
  model: MongooseModel,
  name: string,
  at: string,
  report: ReportProblem,
): FieldDescription | undefined {
  const { instance } = schemaTypeOf(model, name) ?? {};
  const type = instance === undefined ? undefined : TYPES[instance];
  if (instance === undefined) report(at, missingPath(model, name));
  else if (type === undefined) report(at, `"${name}" is of type ${instance}, which cannot be sent`);
  else return type === 'text' ? name : { name, type };
  return undefined;
}

/** Problems of the description itself, and fields that the schema of the appointments does not have. */
function problemsOf(description: ModelDescription, appointment: MongooseModel): string[] {
  try {
    const { companyField, times, statusField, deletedField } = parseModel(description);
    const stored = [companyField, ...Object.values(times), statusField, deletedField ?? companyField];
    return [...new Set(stored)]
      .filter((name) => !schemaTypeOf(appointment, name))
      .map((name) => `options: the schema of ${appointment.modelName} has no path "${name}"`);
  } catch (error) {
    if (error instanceof ModelError) return [...error.problems];
    throw error;
  }
}

function nameOf(field: FieldDescription): string {
  return typeof field === 'string' ? field : field.name;
}

function missingPath({ modelName, schema }: MongooseModel, path: string): string {
  const { virtuals = {} } = schema as { virtuals?: object };
  return Object.hasOwn(virtuals, path)
    ? `"${path}" is a virtual of ${modelName}: only stored fields can be sent`
    : `the schema of ${modelName} has no path "${path}"`;
}

function schemaTypeOf(
  { schema }: MongooseModel,
  path: string,
): { instance: string; ref: unknown; refPath: unknown } | undefined {
  const type = schema.path(path) as
    { instance?: string; options?: { ref?: unknown; refPath?: unknown } } | undefined | null;
  if (typeof type?.instance !== 'string') return undefined;
  return { instance: type.instance, ref: type.options?.ref, refPath: type.options?.refPath };
}

function isDiscriminator({ schema }: MongooseModel): boolean {
  const { discriminatorMapping } = schema as { discriminatorMapping?: { isRoot?: boolean } | undefined };
  return discriminatorMapping?.isRoot === false;
}

/** Models are classes; a `ref` may also be a function that returns a name, which is not called. */
function isModel(value: unknown): value is MongooseModel {
  return typeof value === 'function' && 'modelName' in value && 'schema' in value;
}
