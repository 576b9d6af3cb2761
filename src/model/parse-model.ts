import {
  type AppointmentModel,
  FIXED_KEYS,
  type ModelField,
  type ReferenceModel,
} from './appointment-model.ts';
import { FIELD_TYPES, type FieldType } from './description.ts';

/** Every problem of a description at once, each with its path: `references.petId.fields[2]: …`. */
export class ModelError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], source = 'The model description') {
    super(`${source} is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ModelError';
    this.problems = problems;
  }
}

/** Half of a character: it has no UTF-8, so no stored name contains it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Adds a problem of the value at a path. */
export type ReportProblem = (path: string, problem: string) => void;

const MODEL_KEYS = [
  'collection',
  'references',
  'fields',
  'companyField',
  'times',
  'status',
  'deletedField',
  'scopeOf',
];
const REFERENCE_KEYS = ['collection', 'fields', 'companyField'];
const TIME_KEYS = ['start', 'end', 'createdAt', 'updatedAt'] as const;
const STATUS_KEYS = ['field', 'canceled'];
const FIELD_KEYS = ['name', 'type'];

/** Names that a query or a snapshot gives another meaning. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['_id', '__proto__', '__readFor']);
const MAX_NAME_LENGTH = 100;
/** MongoDB allows 255 bytes for the names of database and collection with a dot between them; a database has up to 63. */
const MAX_COLLECTION_BYTES = 191;

/**
 * Checks a description and fills in its defaults. The description may come from a file of the user's: nothing about it is
 * taken for granted.
 * @throws {@link ModelError} with every problem
 */
export function parseModel(description: unknown): AppointmentModel {
  const problems: string[] = [];
  const report: ReportProblem = (path, problem) => void problems.push(`${path}: ${problem}`);

  const given = objectAt('description', description, MODEL_KEYS, report);
  if (!given) throw new ModelError(problems);
  const times = objectAt('times', given['times'] ?? {}, TIME_KEYS, report) ?? {};
  const status = objectAt('status', given['status'] ?? {}, STATUS_KEYS, report) ?? {};
  const nameOr = (standard: string, path: string, value: unknown) =>
    value === undefined ? standard : nameAt(path, value, report);

  const companyField = nameOr('companyId', 'companyField', given['companyField']);
  const model: AppointmentModel = {
    collection: collectionAt('collection', given['collection'], report),
    companyField,
    references: referencesAt(given['references'], companyField, report),
    fields: given['fields'] === undefined ? [] : fieldsAt('fields', given['fields'], report),
    times: {
      start: nameOr('start', 'times.start', times['start']),
      end: nameOr('end', 'times.end', times['end']),
      createdAt: nameOr('createdAt', 'times.createdAt', times['createdAt']),
      updatedAt: nameOr('updatedAt', 'times.updatedAt', times['updatedAt']),
    },
    statusField: nameOr('status', 'status.field', status['field']),
    canceledStatuses: statusesAt('status.canceled', status['canceled'], report),
    deletedField:
      given['deletedField'] === undefined ? undefined : nameAt('deletedField', given['deletedField'], report),
    scopeOf: scopeOfAt('scopeOf', given['scopeOf'], report),
  };
  reportRepeatedNames(model, report);
  if (problems.length > 0) throw new ModelError(problems);
  return model;
}

/** The properties of an object, of which only some may exist. */
export function objectAt(
  path: string,
  value: unknown,
  allowed: readonly string[] | undefined,
  report: ReportProblem,
): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report(path, mustBe('an object', value));
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (allowed && !allowed.includes(key)) {
      report(path, `unknown key "${key}"; the keys are ${allowed.join(', ')}`);
    }
  }
  return value as Record<string, unknown>;
}

function scopeOfAt(path: string, value: unknown, report: ReportProblem): AppointmentModel['scopeOf'] {
  if (value === undefined || typeof value === 'function') return value as AppointmentModel['scopeOf'];
  report(path, mustBe('a function of the claims', value));
  return undefined;
}

function listAt(path: string, value: unknown, report: ReportProblem): readonly unknown[] {
  if (Array.isArray(value)) return value;
  report(path, mustBe('a list', value));
  return [];
}

/** The name of a field of a document. */
function nameAt(path: string, value: unknown, report: ReportProblem): string {
  if (typeof value !== 'string') {
    report(path, mustBe('the name of a field', value));
  } else if (value.includes('.')) {
    report(path, `"${value}" is a path into a field: only fields of the document itself can be named`);
  } else if (RESERVED_NAMES.has(value) || value in Object.prototype) {
    // Every document has `constructor`, `toString` and the like, also without such a field.
    report(path, `"${value}" is reserved`);
  } else if (
    value === '' ||
    value.startsWith('$') ||
    /[\0\s]/.test(value) ||
    value.length > MAX_NAME_LENGTH ||
    LONE_SURROGATE.test(value)
  ) {
    report(
      path,
      `must be a name of 1 to ${MAX_NAME_LENGTH} characters of Unicode without spaces and without $ at its start`,
    );
  } else return value;
  return '';
}

function collectionAt(path: string, value: unknown, report: ReportProblem): string {
  if (typeof value !== 'string') report(path, mustBe('the name of a MongoDB collection', value));
  else if (/^$|[$\0\s]|^system\.|^\.|\.\.|\.$/.test(value) || LONE_SURROGATE.test(value)) {
    report(
      path,
      'must be the name of a MongoDB collection: not empty, without spaces and $, not system.…, and with text before ' +
        'and after each dot',
    );
  } else if (value in Object.prototype) {
    // mongoose keeps its collections in an object.
    report(path, `"${value}" is reserved`);
  } else if (Buffer.byteLength(value) > MAX_COLLECTION_BYTES) {
    report(path, `must have at most ${MAX_COLLECTION_BYTES} bytes, as the name of a MongoDB collection`);
  } else return value;
  return '';
}

function referencesAt(value: unknown, companyField: string, report: ReportProblem): ReferenceModel[] {
  const references = objectAt('references', value, undefined, report) ?? {};
  return Object.entries(references).map(([field, one]) => {
    const path = `references.${field}`;
    nameAt(path, field, report);
    const given = objectAt(path, one, REFERENCE_KEYS, report);
    if (!given) return { field, collection: '', companyField, fields: [] };
    return {
      field,
      collection: collectionAt(`${path}.collection`, given['collection'], report),
      companyField:
        given['companyField'] === undefined
          ? companyField
          : nameAt(`${path}.companyField`, given['companyField'], report),
      fields: fieldsAt(`${path}.fields`, given['fields'], report),
    };
  });
}

function fieldsAt(path: string, value: unknown, report: ReportProblem): ModelField[] {
  return listAt(path, value, report).map((one, index) => {
    const at = `${path}[${index}]`;
    if (typeof one === 'string') return { name: nameAt(at, one, report), type: 'text' };
    const given = objectAt(at, one, FIELD_KEYS, report);
    if (!given) return { name: '', type: 'text' };
    return {
      name: nameAt(`${at}.name`, given['name'], report),
      type: typeAt(`${at}.type`, given['type'], report),
    };
  });
}

function typeAt(path: string, value: unknown, report: ReportProblem): FieldType {
  const type = FIELD_TYPES.find((one) => one === value);
  if (type === undefined) report(path, `must be one of ${FIELD_TYPES.join(', ')}`);
  return type ?? 'text';
}

function statusesAt(path: string, value: unknown, report: ReportProblem): string[] {
  if (value === undefined) return ['canceled'];
  return listAt(path, value, report).flatMap((status, index, all) => {
    if (typeof status !== 'string' || status === '') report(`${path}[${index}]`, 'must be a status, as text');
    else if (all.indexOf(status) < index) report(`${path}[${index}]`, `"${status}" is in the list twice`);
    else return status;
    return [];
  });
}

/** Reports a key that would be sent twice, and a document's field that has two meanings. */
function reportRepeatedNames(model: AppointmentModel, report: ReportProblem): void {
  const { references, fields, times, companyField, statusField, deletedField } = model;
  const roles = [
    ['companyField', companyField],
    ...TIME_KEYS.map((key) => [`times.${key}`, times[key]] as const),
    ['status.field', statusField],
  ] as const;
  const marks = roles.find(([, name]) => name !== '' && name === deletedField);
  if (marks) report('deletedField', `"${marks[1]}" is named by ${marks[0]} already`);
  const further = [
    ...references.map(({ field }) => [`references.${field}`, field] as const),
    ...fields.map(({ name }, index) => [`fields[${index}]`, name] as const),
  ];
  reportRepeated([...roles, ...further], report);
  for (const [path, name] of further) {
    const isStoredElsewhere = !roles.some(([, stored]) => stored === name);
    if (FIXED_KEYS.some((key) => key === name) && isStoredElsewhere) {
      report(path, `"${name}" is the key under which another field is sent`);
    }
  }
  for (const { field, fields: sent } of references) {
    reportRepeated(
      sent.map(({ name }, index) => [`references.${field}.fields[${index}]`, name] as const),
      report,
    );
  }
}

function reportRepeated(
  names: readonly (readonly [path: string, name: string])[],
  report: ReportProblem,
): void {
  const first = new Map<string, string>();
  for (const [path, name] of names) {
    const earlier = first.get(name);
    if (name === '') continue;
    if (earlier === undefined) first.set(name, path);
    else report(path, `"${name}" is named by ${earlier} already`);
  }
}

function mustBe(expected: string, value: unknown): string {
  if (value === undefined) return `is required: ${expected}`;
  const type = value === null ? 'null' : Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
  return `must be ${expected}, but is ${type}`;
}
