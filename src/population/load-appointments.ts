import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import { createUnpackReferences, type Reference } from '../model/reference-guesses.ts';
import type { Models } from './models.ts';
import { createReadDocuments, OWN } from './read-documents.ts';
import { id, type RawDocument } from './stored-values.ts';
import { createToSnapshot } from './to-snapshot.ts';

/**
 * Reads appointments with their references from the primary. Ids without a document are missing from the map.
 * @param guesses  what they referred to when they were read last, packed. If that is unchanged, one read is enough.
 */
export type LoadAppointments = (
  ids: readonly Id[],
  guesses?: readonly string[],
) => Promise<Map<Id, AppointmentSnapshot>>;

/**
 * The batched loader. One read gets the appointments and the documents that they will refer to by the guesses, a second one
 * the documents that were not guessed, if there are any. Each read contains one `$in` for each collection, whatever the
 * number of ids.
 * @throws what the driver throws
 */
export function createLoadAppointments(models: Models): LoadAppointments {
  const { companyField, references } = models.model;
  const read = createReadDocuments(models);
  const toSnapshot = createToSnapshot(models.model);
  const unpack = createUnpackReferences(models.model);

  const referencesOf = (appointment: RawDocument): Reference[] =>
    references.flatMap(({ field }) => {
      const referredTo = id(appointment[field]);
      return referredTo === null ? [] : [[field, referredTo] as const];
    });

  return async (ids, guesses = []) => {
    if (ids.length === 0) return new Map();
    const guessed = groupByField(guesses.flatMap(unpack));
    const early = await read(new Map([[OWN, new Set(ids)], ...guessed]));
    const appointments = [...(early.get(OWN) ?? [])];
    const missing = appointments
      .flatMap(([, appointment]) => referencesOf(appointment))
      .filter(([field, referredTo]) => !guessed.get(field)?.has(referredTo));
    const late = missing.length === 0 ? undefined : await read(groupByField(missing));

    const documentsOf = (appointment: RawDocument) => {
      const owner = id(appointment[companyField]);
      return references.map(({ field, companyField: ownerField }) => {
        const referredTo = id(appointment[field]) ?? '';
        const document = early.get(field)?.get(referredTo) ?? late?.get(field)?.get(referredTo);
        return ownedBy(owner, document, ownerField);
      });
    };
    return new Map(
      appointments.map(([appointmentId, appointment]) => [
        appointmentId,
        toSnapshot(appointment, documentsOf(appointment)),
      ]),
    );
  };
}

function groupByField(references: readonly Reference[]): Map<string, Set<Id>> {
  const byField = new Map<string, Set<Id>>();
  for (const [field, referredTo] of references) {
    const ids = byField.get(field);
    if (ids) ids.add(referredTo);
    else byField.set(field, new Set([referredTo]));
  }
  return byField;
}

/**
 * The document if it may be sent to the company. A document of another company counts as missing: its data is never sent. A
 * document without a company is shared by all. A document whose company cannot be read may be another company's.
 */
export function ownedBy(
  companyId: Id | null,
  document: RawDocument | undefined,
  companyField: string,
): RawDocument | undefined {
  const owner = document?.[companyField] ?? undefined;
  return owner === undefined || id(owner) === companyId ? document : undefined;
}
