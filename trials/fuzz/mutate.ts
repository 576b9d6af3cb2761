import fc from 'fast-check';

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

/** Values in places where another one is expected. */
export const oddValues: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown[]>(
      null,
      '',
      ' ',
      0,
      -1,
      1.5,
      2 ** 31,
      2 ** 53,
      1e308,
      true,
      [],
      {},
      [[]],
      [null],
      '0',
      'null',
      'undefined',
      '__proto__',
      'constructor',
      'toString',
      'a\u0000b',
      '\ud800',
      '\u2028',
      'x'.repeat(3_000),
      'é'.repeat(200),
      '0'.repeat(24),
      'F'.repeat(24),
      'f'.repeat(23),
      '9'.repeat(400),
      '2026-02-30T00:00:00Z',
      '2026-11-29T00:00:00.000Z',
      '-271821-04-20T00:00:00Z',
      'appointment:deleted',
      '$where',
      'a.b',
      { $ne: null },
      { $oid: '0'.repeat(24) },
      { toString: 1, valueOf: 1 },
      { toJSON: 1, length: 1 },
      { length: { toString: 1, valueOf: 1 }, size: { toString: 1, valueOf: 1 } },
      { then: 1 },
      { _bsontype: 'ObjectId' },
      { _placeholder: true, num: 0 },
      JSON.parse('{"__proto__":{"polluted":1}}') as object,
      { constructor: { prototype: { polluted: 1 } } },
      nested(40),
      nested(400),
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
);

const OPERATIONS = ['replace', 'replace', 'remove', 'repeat', 'wrap', 'rename', 'add'] as const;
interface Mutation {
  at: number;
  operation: (typeof OPERATIONS)[number];
  value: unknown;
  key: string;
}
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  operation: fc.constantFrom(...OPERATIONS),
  value: oddValues,
  key: fc.oneof(
    fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      '',
      '$set',
      'a.b',
      'emissionId',
      'companyId',
      'length',
    ),
    fc.string({ maxLength: 8 }),
  ),
});

type Container = Record<string, unknown> | unknown[];

/** A value of JSON, with up to `max` parts changed: usually it is still close to a valid one. */
export function mutated(valid: unknown, max = 3): fc.Arbitrary<unknown> {
  return fc.array(mutation, { maxLength: max }).map((mutations) => {
    const root: [unknown] = [structuredClone(valid)];
    for (const one of mutations) apply(root, one);
    return root[0];
  });
}

/** One of several valid values, changed. */
export function mutatedOneOf(valid: readonly unknown[], max?: number): fc.Arbitrary<unknown> {
  return fc.constantFrom(...valid).chain((one) => mutated(one, max));
}

function apply(root: [unknown], { at, operation, value: given, key }: Mutation): void {
  // The odd values are shared by all inputs. Without a copy a later mutation would change them, also into a cycle.
  const value = structuredClone(given);
  const places = placesIn(root);
  const [container, name] = places[at % places.length]!;
  const here = (container as Record<string, unknown>)[name];
  const set = (next: unknown, called = name): void => {
    Object.defineProperty(container, called, {
      value: next,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  };
  if (operation === 'replace') set(value);
  else if (operation === 'repeat') set([here, here]);
  else if (operation === 'wrap') set({ [key || 'a']: here });
  else if (operation === 'add') {
    if (typeof here === 'object' && here !== null && !Array.isArray(here)) {
      Object.defineProperty(here, key, { value, enumerable: true, configurable: true, writable: true });
    } else set(value);
  } else if (container !== root) {
    if (Array.isArray(container)) container.splice(Number(name), 1);
    else Reflect.deleteProperty(container, name);
    if (operation === 'rename' && !Array.isArray(container)) set(here, key);
  }
}

/** Every place of a value, the root first. */
function placesIn(container: Container): [Container, string][] {
  return Object.keys(container).flatMap((name): [Container, string][] => {
    const inner = (container as Record<string, unknown>)[name];
    const below = typeof inner === 'object' && inner !== null ? placesIn(inner as Container) : [];
    return [[container, name], ...below];
  });
}

/** Bytes with up to `max` parts overwritten, removed, inserted or repeated. */
export function mutatedBytes(max = 4): fc.Arbitrary<(bytes: Buffer) => Buffer> {
  const edit = fc.record({
    at: fc.nat(),
    length: fc.integer({ min: 0, max: 12 }),
    inserted: fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc
        .constantFrom('\r\n', '\0', '"', '{', ']', '\xff\xfe', '\xdd\xff\xff\xff\xff')
        .map((text) => Buffer.from(text, 'latin1')),
    ),
    repeats: fc.boolean(),
  });
  return fc.array(edit, { maxLength: max }).map((edits) => {
    const apply = (bytes: Buffer): Buffer => edits.reduce(edited, bytes);
    // A finding prints the edits.
    return Object.assign(apply, { [fc.toStringMethod]: () => fc.stringify(edits) });
  });
}

interface Edit {
  at: number;
  length: number;
  inserted: Uint8Array;
  repeats: boolean;
}

function edited(bytes: Buffer, { at, length, inserted, repeats }: Edit): Buffer {
  const from = at % (bytes.length + 1);
  const to = Math.min(from + length, bytes.length);
  const between = repeats ? [bytes.subarray(from, to), bytes.subarray(from, to)] : [inserted];
  return Buffer.concat([bytes.subarray(0, from), ...between, bytes.subarray(to)]);
}

/** Usually undefined. */
export function rarely<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

/** JSON of any value; empty for a value that has none. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text ?? '';
}

/** A text as it is, any other value as JSON. `String` would throw for an object whose `toString` is no function. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : toJson(value);
}
