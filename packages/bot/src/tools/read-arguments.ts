import { cut, escapeMarks, isCalendarDate, parseInstant, wellFormed } from '@appointment-emissions/contracts';
import type { ArgumentSchema, ToolDefinition } from './definitions.ts';

/** Validated arguments of a tool call, or what is wrong with them. */
export type ReadArguments = { values: Record<string, string | number> } | { problems: string[] };

/**
 * Validates the arguments of a tool call: an object, or an object as JSON text. Never throws.
 *
 * Each problem is a sentence that a model can act on. It names the argument, the fault and an example: `start is missing.
 * Example: "2031-05-14T10:30:00+02:00".`
 */
export function readArguments(
  { input_schema: schema }: Pick<ToolDefinition, 'input_schema'>,
  given: unknown,
): ReadArguments {
  try {
    const named = asObject(given);
    if (named === undefined) return { problems: ['The arguments must be one JSON object.'] };
    const known = Object.keys(schema.properties);
    const problems = Object.keys(named)
      .filter((name) => !known.includes(name))
      .map(
        (name) => `${quote(name)} is not an argument of this tool. Its arguments are ${known.join(', ')}.`,
      );
    const values: Record<string, string | number> = {};
    for (const [name, argument] of Object.entries(schema.properties)) {
      const value = named[name];
      if (value === undefined || value === null || value === '') {
        if (schema.required.includes(name)) problems.push(`${name} is missing. ${example(argument)}`);
        continue;
      }
      const problem = problemOf(argument, value);
      if (problem === undefined)
        values[name] = typeof value === 'string' ? wellFormed(value) : (value as number);
      else problems.push(`${name} ${problem}, but was ${quote(value)}. ${example(argument)}`);
    }
    return problems.length > 0 ? { problems } : { values };
  } catch {
    return { problems: ['The arguments cannot be parsed. They must be one JSON object.'] };
  }
}

function asObject(given: unknown): Record<string, unknown> | undefined {
  const value: unknown = typeof given === 'string' ? JSON.parse(given) : given;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function problemOf(argument: ArgumentSchema, value: unknown): string | undefined {
  return argument.type === 'integer' ? problemOfInteger(argument, value) : problemOfText(argument, value);
}

function problemOfInteger(
  { minimum, maximum, multipleOf }: ArgumentSchema,
  value: unknown,
): string | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value)) return 'must be a whole number';
  if (minimum !== undefined && value < minimum) return `must be at least ${minimum}`;
  if (maximum !== undefined && value > maximum) return `must be at most ${maximum}`;
  if (multipleOf !== undefined && value % multipleOf !== 0) return `must be a multiple of ${multipleOf}`;
  return undefined;
}

const SURROGATE_PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;
/** The time and the offset are required: without an offset, the instant would depend on the time zone of the machine. */
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i;

function problemOfText({ pattern, format, maxLength }: ArgumentSchema, value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string';
  if (maxLength !== undefined && countCodePoints(value) > maxLength)
    return `must have at most ${maxLength} characters`;
  if (pattern !== undefined && !new RegExp(pattern).test(value)) return 'must be 24 hexadecimal characters';
  if (format === undefined) return undefined;
  if (format === 'date')
    return isCalendarDate(value) ? undefined : 'must be a date that exists, in a year from 1970 to 9999';
  if (!DATE_TIME.test(value)) return 'must be an ISO 8601 date and time with an offset from UTC';
  return parseInstant(value) === undefined
    ? 'must be a date and time that exists, in a year from 1970 to 9999'
    : undefined;
}

/** Counts code points, as JSON Schema's `maxLength` does: `'🐶'` has length 2 but is one code point. */
function countCodePoints(text: string): number {
  return text.length - (text.match(SURROGATE_PAIR)?.length ?? 0);
}

function example({ examples }: ArgumentSchema): string {
  return `Example: ${JSON.stringify(examples[0])}.`;
}

const MAX_QUOTED = 80;

/** The beginning of a value as JSON, safe to embed in a sentence. */
function quote(value: unknown): string {
  // JSON.stringify returns undefined for a function.
  const json = JSON.stringify(value) as string | undefined;
  return escapeMarks(cut(json ?? typeof value, MAX_QUOTED));
}
