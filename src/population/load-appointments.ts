import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import { REFERENCE_FIELDS, type ReferenceField, unpackReferences } from '../domain/references.ts';
import { byIds, readCommand } from './read-command.ts';
import type { Models } from './models.ts';
import { id, type RawDocument, toSnapshot } from './to-snapshot.ts';

/**
 * Reads appointments with their references; ids without a document are missing from the map. Source: the primary.
 * @param guesses  what they referred to when they were read last, packed: where it still holds, all is read at once
 */
export type LoadAppointments = (
  ids: readonly Id[],
  guesses?: readonly string[],
) => Promise<Map<Id, AppointmentSnapshot>>;

/** What is read of each collection: the fields that are sent, and those that tell whose it is. */
export const SOURCES = {
  _id: {
    model: 'Appointment',
    fields: projection(
      'companyId customerId petId serviceId serviceItemId staffId locationId start end status source notes createdAt updatedAt',
    ),
  },
  customerId: { model: 'Customer', fields: projection('companyId fullName email phone') },
  petId: { model: 'Pet', fields: projection('companyId name species breed size coatType') },
  serviceId: { model: 'Service', fields: projection('companyId name') },
  serviceItemId: { model: 'ServiceItem', fields: projection('companyId size coatType price') },
  staffId: { model: 'Staff', fields: projection('companyId fullName role') },
} as const;

/** Says of a document which field it was read for: two collections may use one id. */
const READ_FOR = 'readFor';

type Field = '_id' | ReferenceField;
/** Ids by the field that holds them. */
type Wanted = ReadonlyMap<Field, ReadonlySet<Id>>;
type Found = Map<Field, Map<Id, RawDocument>>;

/**
 * The batched loader: one aggregation for the appointments and what they will refer to by the guesses, and one for what was
 * not guessed, if there is any; one `$in` for each collection, however many ids there are. As finds they cost twice the time
 * and more of Node's, most of it for the ways there and back. @throws what the driver throws; the caller tells a server that is away from a query
 * that failed.
 */
export function createLoadAppointments(models: Models): LoadAppointments {
  async function read(wanted: Wanted): Promise<Found> {
    const [first, ...others] = [...wanted].map(([field, ids]) => {
      const { model, fields } = SOURCES[field];
      const project = { ...fields, [READ_FOR]: { $literal: field } };
      return {
        model: models[model],
        pipeline: [{ $match: byIds(ids) }, { $project: project }],
      };
    });
    const found: Found = new Map([...wanted.keys()].map((field) => [field, new Map<Id, RawDocument>()]));
    if (!first) return found;
    const unions = others.map(({ model, pipeline }) => ({
      $unionWith: { coll: model.collection.collectionName, pipeline },
    }));
    const documents: RawDocument[] = await readCommand(first.model, {
      pipeline: [...first.pipeline, ...unions],
    });
    for (const document of documents) {
      found.get(document[READ_FOR] as Field)?.set(id(document._id) ?? '', document);
    }
    return found;
  }

  return async (ids, guesses = []) => {
    if (ids.length === 0) return new Map();
    const guessed = group(guesses.flatMap(unpackReferences));
    const found = await read(new Map([['_id', new Set(ids)], ...guessed]));
    const appointments = found.get('_id') ?? new Map<Id, RawDocument>();
    const missed = group(
      [...appointments.values()].flatMap((appointment) =>
        REFERENCE_FIELDS.flatMap((field) => {
          const referredTo = id(appointment[field]);
          return referredTo === null || guessed.get(field)?.has(referredTo)
            ? []
            : [[field, referredTo] as const];
        }),
      ),
    );
    const late = await read(missed);

    const snapshots = new Map<Id, AppointmentSnapshot>();
    for (const [appointmentId, appointment] of appointments) {
      const companyId = id(appointment.companyId);
      const pick = (field: ReferenceField) => {
        const referredTo = id(appointment[field]) ?? '';
        return ownedBy(companyId, found.get(field)?.get(referredTo) ?? late.get(field)?.get(referredTo));
      };
      snapshots.set(
        appointmentId,
        toSnapshot(appointment, {
          customer: pick('customerId'),
          pet: pick('petId'),
          service: pick('serviceId'),
          serviceItem: pick('serviceItemId'),
          staff: pick('staffId'),
        }),
      );
    }
    return snapshots;
  };
}

function group(references: readonly (readonly [ReferenceField, Id])[]): Map<ReferenceField, Set<Id>> {
  const byField = new Map<ReferenceField, Set<Id>>();
  for (const [field, referredTo] of references) {
    const ids = byField.get(field);
    if (ids) ids.add(referredTo);
    else byField.set(field, new Set([referredTo]));
  }
  return byField;
}

/**
 * A reference into another company is treated as missing: its data is never sent. A document without a company is
 * shared by all; one whose company cannot be read may be another company's.
 */
export function ownedBy(companyId: Id | null, document: RawDocument | undefined): RawDocument | undefined {
  const owner = document?.companyId ?? undefined;
  return owner === undefined || id(owner) === companyId ? document : undefined;
}

function projection(fields: string): Record<string, 1> {
  return Object.fromEntries(fields.split(' ').map((field) => [field, 1 as const]));
}
