import fc from 'fast-check';
import { mongo, Types } from 'mongoose';
import type { AppointmentList } from '@appointment-emissions/contracts';
import { API_KEY } from '../../test/harness/world.ts';
import { anyFields, STORED_VALUES } from '../../test/harness/stored-values.ts';
import { oddValues, toJson } from './mutate.ts';
import { type OpenSurface, surfaceOf } from './surface.ts';
import type { Target } from './target.ts';
import { OTHER_COMPANY_MARK } from './watchers.ts';

const APPOINTMENT_FIELDS =
  'companyId customerId petId serviceId serviceItemId staffId locationId start end status source notes createdAt updatedAt __v'.split(
    ' ',
  );
const REFERENCE_FIELDS = [
  'companyId',
  'fullName',
  'email',
  'phone',
  'name',
  'species',
  'size',
  'price',
  'role',
];
const COLLECTIONS = ['customers', 'pets', 'services', 'serviceitems', 'staff'];
const REFERENCES = ['customerId', 'petId', 'serviceId', 'serviceItemId', 'staffId'];
/** Appointments of one execution are removed when the next begins: lists stay short. */
const LIST = '/api/v1/dashboard/appointments';

type Fields = Record<string, unknown>;

/** Appointments and references with values of any BSON type; then they are emitted, listed, swept and deleted. */
export const openDocuments: OpenSurface = async (target) => {
  const { world, company, other, log } = target;
  log.expect(/^\[InternalSocket\] Failed to emit|never resolves|reference/);
  const token = await world.token(company.companyId, '2h');
  const stored = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...STORED_VALUES).map(([, value]) => value) },
    { weight: 1, arbitrary: oddValues.filter(isStorable) },
  );
  const appointment = fc.record({
    fields: fc.oneof(
      anyFields(APPOINTMENT_FIELDS),
      fc.dictionary(fc.constantFrom(...APPOINTMENT_FIELDS), stored, { maxKeys: 3, noNullPrototype: true }),
    ),
    /** Refers to documents of the other company, to documents of its own, or to documents with odd fields. */
    references: fc.dictionary(
      fc.constantFrom(...REFERENCES),
      fc.constantFrom('foreign', 'odd', 'odd', 'missing'),
      { maxKeys: 3, noNullPrototype: true },
    ),
    referred: anyFields(REFERENCE_FIELDS),
    then: fc.constantFrom('updated', 'created', 'canceled', 'deleted'),
  });
  const foreign: Fields = {
    customerId: other.customer._id,
    petId: other.pet._id,
    serviceId: other.service._id,
    serviceItemId: other.serviceItem._id,
    staffId: other.staff._id,
  };
  return surfaceOf(fc.array(appointment, { minLength: 1, maxLength: 4 }), async (inputs) => {
    for (const { fields, references, referred, then } of inputs) {
      const inserted = await insertReferences(target, referred);
      const ids = Object.fromEntries(
        Object.entries(references).map(([field, kind]) => [
          field,
          kind === 'foreign' ? foreign[field] : kind === 'odd' ? inserted[field] : new Types.ObjectId(),
        ]),
      );
      const appointmentId = await insertAppointment(target, { ...ids, ...fields });
      if (appointmentId === undefined) target.count('not stored');
      else await emitAndList(target, { appointmentId, then, token });
    }
  });
};

/** The server of tests cannot store some values. */
async function insertAppointment({ company }: Target, fields: Fields): Promise<string | undefined> {
  try {
    return await company.appointment(fields);
  } catch (error) {
    if (error instanceof mongo.MongoError || error instanceof RangeError || error instanceof TypeError)
      return undefined;
    throw error;
  }
}

async function insertReferences({ world, company }: Target, referred: Fields): Promise<Fields> {
  const { db } = world.documents.models.Appointment;
  const entries = await Promise.all(
    COLLECTIONS.map(async (collection, index) => {
      const document = { companyId: company.customer.companyId, ...referred };
      const stored = await db
        .collection(collection)
        .insertOne(document)
        .catch(() => undefined);
      return [REFERENCES[index]!, stored?.insertedId] as const;
    }),
  );
  return Object.fromEntries(entries);
}

async function emitAndList(
  target: Target,
  { appointmentId, then, token }: { appointmentId: string; then: string; token: string },
): Promise<void> {
  const { world, api, company, count } = target;
  const body = { appointmentId, ...(then === 'deleted' && { companyId: company.companyId }) };
  const response = await world.post(api, `appointment-${then}`, body);
  const reply = (await response.json()) as { code?: string; emissionId?: string };
  count(`${response.status} ${reply.code ?? ''}`.trim());
  if (response.status >= 500)
    await mustSucceed('the emission', () => world.post(api, `appointment-${then}`, body));
  if (reply.emissionId !== undefined) {
    const job = await world.jobIn(reply.emissionId, 'completed', 'failed', 'unknown').catch(() => undefined);
    if (job?.failedReason) {
      count(`failed ${job.failedReason.slice(0, job.failedReason.indexOf(':'))}`);
      if (!/^(COMPANY_MISMATCH|SNAPSHOT_TOO_LARGE)/.test(job.failedReason)) throw new Error(job.failedReason);
    }
    const timeline = await fetch(`${api.url}/api/v1/internal/socket/emissions/${reply.emissionId}`, {
      headers: { 'x-api-key': API_KEY },
    });
    if (timeline.status !== 200) throw new Error(`the timeline got ${timeline.status}`);
  }
  const list = () => fetch(`${api.url}${LIST}`, { headers: { authorization: `Bearer ${token}` } });
  const listed = await list();
  const { appointments } = (await (
    listed.status >= 500 ? await mustSucceed('the list', list) : listed
  ).json()) as AppointmentList;
  const text = JSON.stringify(appointments);
  if (text.includes(OTHER_COMPANY_MARK) || text.includes(target.other.companyId))
    throw new Error(`the list has data of another company: ${text.slice(0, 2_000)}`);
  const wrong = appointments.find(({ appointment }) => appointment.companyId !== company.companyId);
  if (wrong) throw new Error(`the list has an appointment of another company: ${JSON.stringify(wrong)}`);
  await world.documents.models.Appointment.collection.deleteOne({ _id: new Types.ObjectId(appointmentId) });
}

/** A slow server may be answered 500 or 503 once. */
async function mustSucceed(what: string, send: () => Promise<Response>): Promise<Response> {
  const response = await send();
  if (response.status < 500) return response;
  throw new Error(`${what} got twice a server error: ${response.status} ${await response.text()}`);
}

/** The driver refuses keys that another driver writes. */
function isStorable(value: unknown): boolean {
  return !/"(\$[^"]*|_bsontype|toBSON)":/.test(toJson(value));
}
