import { expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { fromMongoose, type MongooseModel, type PopulatePath } from '../../src/model/from-mongoose.ts';
import { ModelError } from '../../src/model/parse-model.ts';
import { model as backendModel } from './backend-model.ts';
import { defineBackendModels } from './backend-mongoose.ts';

const { Appointment, User } = defineBackendModels(mongoose.createConnection());

const { Schema } = mongoose;
const { ObjectId } = Schema.Types;

function problemsOf(
  populate: PopulatePath | PopulatePath[],
  options = {},
  appointment: MongooseModel = Appointment,
): readonly string[] {
  try {
    fromMongoose(appointment, populate, options);
  } catch (error) {
    if (error instanceof ModelError) return error.problems;
    throw error;
  }
  return [];
}

const { collection, ...expected } = backendModel;

test('models and populate paths of an application give its description', () => {
  const described = fromMongoose(
    Appointment,
    [
      'customerId',
      { path: 'petId', select: 'name species breed size coatType' },
      { path: 'serviceId', select: ['_id', 'name'] },
      { path: 'serviceItemId', select: { size: 1, coatType: true, price: 1 } },
      { path: 'staffId', select: '+fullName role', model: User },
    ],
    {
      fields: ['locationId', 'source', 'notes', 'canceledAt', 'cancellationReason'],
      status: { canceled: ['canceled', 'no_show'] },
    },
  );
  expect(described).toEqual({ collection, ...expected });
});

test('paths of the default model need no select, and several can be in one text', () => {
  const { references, fields } = fromMongoose(
    Appointment,
    'customerId petId serviceId serviceItemId staffId',
  );
  expect(references).toEqual(expected.references);
  expect(fields).toEqual([{ name: 'locationId', type: 'id' }, 'source', 'notes']);
});

test('a model can be named in the entry, and documents can be shared by all companies', () => {
  const populate = [
    { path: 'createdBy', select: 'fullName', model: 'User' },
    { path: 'roomId', select: 'label' },
  ];
  expect(fromMongoose(Appointment, populate, { shared: ['roomId'] }).references).toEqual({
    createdBy: { collection: 'users', fields: ['fullName'] },
    roomId: { collection: 'rooms', fields: ['label'] },
  });
});

test.each<[string, PopulatePath, string]>([
  ['an unknown path', 'animalId', 'the schema of Appointment has no path "animalId"'],
  [
    'a list of references',
    'extraPets',
    '"extraPets" is of type Array: only single ObjectIds can be populated',
  ],
  [
    'an entry without select',
    { path: 'createdBy', model: 'User' },
    '"createdBy" needs a select that names the fields to send, such as "name size"',
  ],
  [
    'a select that excludes fields',
    { path: 'staffId', select: '-passwordHash' },
    '"staffId" needs a select that names the fields to send, such as "name size"',
  ],
  ['an unknown field', { path: 'petId', select: 'nam' }, 'the schema of Pet has no path "nam"'],
  [
    'a field of a type that cannot be sent',
    { path: 'petId', select: 'photos' },
    '"photos" is of type Array, which cannot be sent',
  ],
  [
    'a model that is not defined',
    { path: 'couponId', select: 'code' },
    '"couponId" refers to the model Coupon, which the connection does not have: define it before',
  ],
  [
    'a path without ref',
    { path: 'createdBy', select: 'fullName' },
    'the schema of "createdBy" has no ref with the name of a model: add model to this entry',
  ],
  [
    'documents without a company',
    { path: 'roomId', select: 'label' },
    'the schema of Room has no "companyId": if its documents belong to all companies, add "roomId" to the option shared',
  ],
  [
    'a nested populate',
    { path: 'petId', populate: 'ownerId' } as PopulatePath,
    'populates a document inside a reference, which is not supported',
  ],
  [
    'a condition',
    { path: 'petId', match: { isActive: true } } as PopulatePath,
    '"match" is not supported: remove it',
  ],
  ['something else', 7 as never, 'must be a path, or an object with path and select'],
])('%s is refused with its place', (_, entry, problem) => {
  expect(problemsOf(['customerId', entry])).toEqual([`populate[1]: ${problem}`]);
});

test('virtuals, a refPath and a discriminator are refused with the reason', () => {
  const connection = mongoose.createConnection();
  const companyId = { type: ObjectId, required: true };
  const staff = new Schema({ companyId, firstName: String });
  staff.virtual('fullName').get(() => '');
  connection.model('User', staff);
  const schema = new Schema(
    {
      companyId,
      staffId: { type: ObjectId, ref: 'User' },
      payerId: { type: ObjectId, refPath: 'payerKind' },
      ...{ start: Date, end: Date, status: String, payerKind: String },
    },
    { timestamps: true },
  );
  schema.virtual('invoices', { ref: 'User', localField: '_id', foreignField: 'companyId' });
  const base = connection.model('Appointment', schema);
  const grooming = base.discriminator('Grooming', new Schema({}));
  const populate = [
    { path: 'staffId', select: 'fullName' },
    { path: 'payerId', select: 'fullName', model: 'User' },
    { path: 'invoices', select: 'fullName' },
  ];
  expect(problemsOf(populate, {}, grooming)).toEqual([
    'appointment: Grooming is a discriminator: pass its base model, since all documents are read',
    'populate[0]: "fullName" is a virtual of User: only stored fields can be sent',
    'populate[1]: "payerId" has a refPath, which is not supported: its documents must be in one collection',
    'populate[2]: "invoices" is a virtual of Grooming: only stored fields can be sent',
  ]);
});

test('arguments of a wrong type are refused with what to pass', () => {
  for (const wrong of [null, 'Appointment', Appointment.schema, { default: Appointment }])
    expect(problemsOf('petId', {}, wrong as never)).toEqual([
      'appointment: must be a mongoose model, such as mongoose.model("Appointment")',
    ]);
  for (const wrong of ['notes', [7], [{ name: 'notes' }]])
    expect(problemsOf('petId', { fields: wrong })).toEqual([
      'options.fields: must be a list of names, such as ["notes"]',
    ]);
  // Its text contains the name of the reference.
  expect(problemsOf({ path: 'roomId', select: 'label' }, { shared: 'roomId2' })).toEqual([
    'options.shared: must be a list of names, such as ["notes"]',
    'populate[0]: the schema of Room has no "companyId": if its documents belong to all companies, add "roomId" to the option shared',
  ]);
  expect(problemsOf('petId', { shared: ['petID'] })).toEqual(['options.shared: "petID" is not populated']);
});

test('all problems are reported at once, those of the options and of the description too', () => {
  expect(
    problemsOf(['petId', 'petId', { path: 'petId', select: 'vet.name' }], {
      field: [],
      fields: ['status', 'couponCode'],
      times: { start: 'startsAt' },
    }),
  ).toEqual([
    'options: unknown key "field"; the keys are companyField, times, status, deletedField, scopeOf, fields, shared',
    'populate[1]: "petId" is populated twice',
    'populate[2]: "petId" is populated twice',
    'fields[1]: the schema of Appointment has no path "couponCode"',
    'description: unknown key "field"; the keys are collection, references, fields, companyField, times, status, deletedField, scopeOf',
    'references.petId.fields[0]: "vet.name" is a path into a field: only fields of the document itself can be named',
    'fields[0]: "status" is named by status.field already',
  ]);
  expect(problemsOf('petId', { times: { start: 'startsAt' } })).toEqual([
    'options: the schema of Appointment has no path "startsAt"',
  ]);
  expect(problemsOf('petId', null as never)).toEqual(['options: must be an object, but is null']);
});
