import { expect, test } from '@jest/globals';
import type { AppointmentSnapshot } from '@appointment-emissions/contracts';
import { ownFields } from '../../src/model/appointment-model.ts';
import { type DEFAULT_DESCRIPTION, DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { defineModel, type SnapshotOf } from '../../src/model/description.ts';
import { ModelError, parseModel } from '../../src/model/parse-model.ts';

function problemsOf(description: unknown): readonly string[] {
  try {
    parseModel(description);
  } catch (error) {
    if (error instanceof ModelError) return error.problems;
    throw error;
  }
  return [];
}

const pets = { collection: 'pets', fields: ['name'] };

test('the shortest description gets the defaults', () => {
  expect(parseModel({ collection: 'visits', references: {} })).toEqual({
    collection: 'visits',
    companyField: 'companyId',
    references: [],
    fields: [],
    times: { start: 'start', end: 'end', createdAt: 'createdAt', updatedAt: 'updatedAt' },
    statusField: 'status',
    canceledStatuses: ['canceled'],
    deletedField: undefined,
  });
});

test('every part of a description is taken over, and a reference has its own company field', () => {
  const description = defineModel({
    collection: 'visits',
    companyField: 'tenant',
    references: { pet: { ...pets, companyField: 'owner' }, client: { collection: 'clients', fields: [] } },
    fields: ['notes', { name: 'isFirst', type: 'boolean' }],
    times: { start: 'from', updatedAt: 'changedAt' },
    status: { field: 'state', canceled: ['off', 'no_show'] },
    deletedField: 'deletedAt',
  });
  expect(parseModel(description)).toEqual({
    collection: 'visits',
    companyField: 'tenant',
    references: [
      {
        field: 'pet',
        collection: 'pets',
        companyField: 'owner',
        fields: [{ name: 'name', type: 'text' }],
      },
      { field: 'client', collection: 'clients', companyField: 'tenant', fields: [] },
    ],
    fields: [
      { name: 'notes', type: 'text' },
      { name: 'isFirst', type: 'boolean' },
    ],
    times: { start: 'from', end: 'end', createdAt: 'createdAt', updatedAt: 'changedAt' },
    statusField: 'state',
    canceledStatuses: ['off', 'no_show'],
    deletedField: 'deletedAt',
  });
});

test('all problems are reported at once, each with its path', () => {
  const description = {
    colection: 'appointments',
    companyField: 'owner.id',
    references: {
      petId: { collection: 'pets', fields: ['name', 'breed', 7] },
      staffId: { collection: '', fields: 'fullName', projection: {} },
      customerId: null,
      _id: pets,
    },
    fields: [{ name: 'price', type: 'money' }, { name: 'notes' }, '$where', { name: 'x', type: 'id', of: 1 }],
    times: { begin: 'start', end: '' },
    status: { canceled: ['canceled', 'canceled', 3] },
    deletedField: false,
  };
  expect([...problemsOf(description)].sort()).toEqual(
    [
      'description: unknown key "colection"; the keys are collection, references, fields, companyField, times, status, deletedField, scopeOf',
      'collection: is required: the name of a MongoDB collection',
      'companyField: "owner.id" is a path into a field: only fields of the document itself can be named',
      'references.petId.fields[2]: must be an object, but is of type number',
      'references.staffId: unknown key "projection"; the keys are collection, fields, companyField',
      'references.staffId.collection: must be the name of a MongoDB collection: not empty, without spaces and $, not system.…, and with text before and after each dot',
      'references.staffId.fields: must be a list, but is of type string',
      'references.customerId: must be an object, but is null',
      'references._id: "_id" is reserved',
      'fields[0].type: must be one of text, number, boolean, date, id',
      'fields[1].type: must be one of text, number, boolean, date, id',
      'fields[2]: must be a name of 1 to 100 characters of Unicode without spaces and without $ at its start',
      'fields[3]: unknown key "of"; the keys are name, type',
      'times: unknown key "begin"; the keys are start, end, createdAt, updatedAt',
      'times.end: must be a name of 1 to 100 characters of Unicode without spaces and without $ at its start',
      'status.canceled[1]: "canceled" is in the list twice',
      'status.canceled[2]: must be a status, as text',
      'deletedField: must be the name of a field, but is of type boolean',
    ].sort(),
  );
});

test.each([
  ['undefined', undefined, ['description: is required: an object']],
  ['a list', [], ['description: must be an object, but is a list']],
  ['text', 'appointments', ['description: must be an object, but is of type string']],
  ['null', null, ['description: must be an object, but is null']],
])('%s is not a description', (_, description, problems) => {
  expect(problemsOf(description)).toEqual(problems);
});

test('a name that has two meanings is refused', () => {
  const base = { collection: 'appointments', references: { petId: pets } };
  expect(problemsOf({ ...base, fields: ['petId'] })).toEqual([
    'fields[0]: "petId" is named by references.petId already',
  ]);
  expect(problemsOf({ ...base, fields: ['status'] })).toEqual([
    'fields[0]: "status" is named by status.field already',
  ]);
  expect(problemsOf({ ...base, times: { end: 'start' } })).toEqual([
    'times.end: "start" is named by times.start already',
  ]);
  expect(problemsOf({ ...base, times: { start: 'from' }, fields: ['start'] })).toEqual([
    'fields[0]: "start" is the key under which another field is sent',
  ]);
  // Every appointment with a start would be a deleted one.
  expect(problemsOf({ ...base, deletedField: 'start' })).toEqual([
    'deletedField: "start" is named by times.start already',
  ]);
  const twice = { petId: { collection: 'pets', fields: ['name', 'size', 'name'] } };
  expect(problemsOf({ ...base, references: twice })).toEqual([
    'references.petId.fields[2]: "name" is named by references.petId.fields[0] already',
  ]);
});

test('a reference cannot replace the prototype of a snapshot', () => {
  const references: unknown = JSON.parse('{"__proto__": {"collection": "pets", "fields": ["name"]}}');
  expect(problemsOf({ collection: 'appointments', references })).toEqual([
    'references.__proto__: "__proto__" is reserved',
  ]);
});

test.each(['constructor', 'toString', 'hasOwnProperty', '__defineGetter__'])(
  'a field cannot be named %s, which every document seems to have',
  (name) => {
    const base = { collection: 'appointments', references: {} };
    expect(problemsOf({ ...base, deletedField: name })).toEqual([`deletedField: "${name}" is reserved`]);
    expect(problemsOf({ ...base, fields: [name] })).toEqual([`fields[0]: "${name}" is reserved`]);
  },
);

test.each([
  ['a dot at its start', '.a'],
  ['a dot at its end', 'a.'],
  ['two dots', 'a..b'],
  ['half of a character', 'a\ud800'],
  ['192 bytes', 'é'.repeat(96)],
])('a collection whose name has %s is refused', (_, collection) => {
  expect(problemsOf({ collection, references: {} })).toEqual([
    expect.stringMatching(/^collection: must .*MongoDB collection/),
  ]);
});

test.each(['__proto__', 'constructor'])('a collection cannot be named %s', (collection) => {
  expect(problemsOf({ collection, references: {} })).toEqual([`collection: "${collection}" is reserved`]);
});

test('a collection may have dots inside its name, and 191 bytes', () => {
  expect(problemsOf({ collection: 'a.b', references: {} })).toEqual([]);
  expect(problemsOf({ collection: 'x'.repeat(191), references: {} })).toEqual([]);
});

test('the name of a field cannot be half of a surrogate pair', () => {
  expect(problemsOf({ collection: 'appointments', references: {}, fields: ['\ud800'] })).toEqual([
    expect.stringContaining('characters of Unicode'),
  ]);
});

test('the default model is sent in the documented order', () => {
  expect(DEFAULT_MODEL.references.map(({ field }) => field)).toEqual([
    'customerId',
    'petId',
    'serviceId',
    'serviceItemId',
    'staffId',
  ]);
  expect(ownFields(DEFAULT_MODEL).map(({ name }) => name)).toEqual([
    'locationId',
    'start',
    'end',
    'status',
    'source',
    'notes',
    'createdAt',
    'updatedAt',
  ]);
});

test('the type of the snapshot follows from the description', () => {
  type Sent = SnapshotOf<typeof DEFAULT_DESCRIPTION>;
  const toContract = (sent: Sent): AppointmentSnapshot => sent;
  const toSent = (snapshot: AppointmentSnapshot): Sent => snapshot;
  const other = defineModel({
    collection: 'visits',
    references: { pet: { collection: 'pets', fields: ['name', { name: 'weight', type: 'number' }] } },
    fields: [{ name: 'isFirst', type: 'boolean' }],
  });
  expect(parseModel(other).references).toHaveLength(1);
  const weightOf = (visit: SnapshotOf<typeof other>): number | null => visit.pet?.weight ?? null;
  const isFirst = (visit: SnapshotOf<typeof other>): boolean | null => visit.isFirst;
  // @ts-expect-error the description does not name this field
  const breedOf = (visit: SnapshotOf<typeof other>): unknown => visit.pet?.breed;
  // The compiler is the test.
  expect([toContract, toSent, weightOf, isFirst, breedOf]).toHaveLength(5);
});
