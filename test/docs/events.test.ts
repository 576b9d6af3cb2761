import { expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createToSnapshot } from '../../src/population/to-snapshot.ts';
import { fieldsIn, fieldsOf, parseTypes, wordsOf, type Field } from './contract-types.ts';
import { codeIn, readPage, tableUnder } from './pages.ts';

const page = readPage('docs/reference/events.md');
const PAYLOADS = [
  'AppointmentPayload',
  'DeletionPayload',
  'DeletedAppointment',
  'EmissionMeta',
  'StreamPosition',
  'PositionUpdate',
  'Alive',
  'Seen',
  'TokenRenewal',
];
const REFERENCES = {
  customerId: 'CustomerSnapshot',
  petId: 'PetSnapshot',
  serviceId: 'ServiceSnapshot',
  serviceItemId: 'ServiceItemSnapshot',
  staffId: 'StaffSnapshot',
} as const;

test('docs/reference/events.md lists every event with its direction, and no other', () => {
  const documented = tableUnder(page, 'Dashboards: namespace `/`').map(({ event, direction }) => [
    event,
    direction,
  ]);
  expect(documented).toEqual([
    ...fieldsOf('DashboardServerEvents').map(({ field }) => [field, 'to dashboards']),
    ...fieldsOf('DashboardClientEvents').map(({ field }) => [field, 'from dashboards']),
  ]);
});

test.each([...PAYLOADS, 'DashboardAuth'])('%s: the page names its fields and their types', (name) => {
  expect(documentedFields(name)).toEqual(fieldsOf(name));
});

test('EmitRequest: the page names its fields and those of a batch item, and their types', () => {
  expect(documentedFields('EmitRequest')).toEqual([...fieldsOf('BatchItem'), ...fieldsOf('EmitRequest')]);
});

test('the page names every reason to reload', () => {
  expect(tableUnder(page, 'ReloadReason').map(({ reason }) => reason)).toEqual(wordsOf('ReloadReason'));
});

test('a snapshot has exactly the documented fields, with any other fields in the documents', () => {
  const document = { _id: new Types.ObjectId(), secret: 'never sent' };
  const references = DEFAULT_MODEL.references.map(() => document);
  const snapshot = createToSnapshot(DEFAULT_MODEL)(document, references);

  expect(Object.keys(snapshot)).toEqual(listedFields('AppointmentSnapshot'));
  expect(fieldsOf('AppointmentSnapshot').map(({ field }) => field)).toEqual(
    listedFields('AppointmentSnapshot'),
  );
  for (const [field, name] of Object.entries(REFERENCES)) {
    const sent = Object.keys(snapshot[field as keyof typeof REFERENCES] ?? {});
    expect([field, sent]).toEqual([field, listedFields(field)]);
    expect([field, fieldsOf(name).map((one) => one.field)]).toEqual([field, listedFields(field)]);
  }
});

/** The fields that the page gives in the TypeScript declaration `name`. */
function documentedFields(name: string): Field[] {
  return fieldsIn(parseTypes('events.md', codeIn(page, 'ts')), name);
}

/** The fields that the page lists after `name:` under "Snapshots". */
function listedFields(name: string): string[] {
  const [, list = ''] = new RegExp(`^${name}:(( +.+\\n)+)`, 'm').exec(page) ?? [];
  return list.trim().split(/,\s+/);
}
