import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import { createUnpackReferences, type Reference } from '../model/reference-guesses.ts';
import type { Models } from './models.ts';
import { createReadDocuments, OWN } from './read-documents.ts';
import { id, type RawDocument } from './stored-values.ts';
import { createToSnapshot } from './to-snapshot.ts';

/**
 * Reads appointments with their references from the primary. Ids without a document, and those of documents that are marked
 * as deleted, are missing from the map.
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
  const { isDeleted } = models;
  const { companyField, references } = models.model;
  const read = createReadDocuments(models);
  const toSnapshot = createToSnapshot(models.model);
  const unpack = createUnpackReferences(models.model);

  return async (ids, guesses = []) => {
    if (ids.length === 0) return new Map();
    const guessed = groupByField(guesses.flatMap(unpack));
    const early = await read(new Map([[OWN, new Set(ids)], ...guessed]));
    const appointments = [...(early.get(OWN) ?? [])]
      .filter(([, document]) => !isDeleted(document))
      .map(([appointmentId, document]) => {
        return { appointmentId, document, referredTo: references.map(({ field }) => id(document[field])) };
      });
    const missing = appointments.flatMap(({ referredTo }) =>
      references.flatMap(({ field }, index): Reference[] => {
        const reference = referredTo[index] ?? null;
        return reference === null || guessed.get(field)?.has(reference) ? [] : [[field, reference]];
      }),
    );
    const late = missing.length === 0 ? undefined : await read(groupByField(missing));

    return new Map(
      appointments.map(({ appointmentId, document, referredTo }) => {
        const owner = id(document[companyField]);
        const referred = references.map(({ field, companyField: ownerField }, index) => {
          const reference = referredTo[index] ?? '';
          const found = early.get(field)?.get(reference) ?? late?.get(field)?.get(reference);
          return ownedBy(owner, found, ownerField);
        });
        return [appointmentId, toSnapshot(document, referred)];
      }),
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
