import { Types } from 'mongoose';
import type { EmitReply } from '@appointment-emissions/contracts';
import { STORED_VALUES } from '../../test/harness/stored-values.ts';
import type { Scenario } from './scenario.ts';

const deep = (depth: number): unknown => (depth === 0 ? 'x' : { deeper: deep(depth - 1) });

/** What a bot of another version, or a hand in the database, may have left in an appointment. */
const POISON: readonly Record<string, unknown>[] = [
  { notes: 'x'.repeat(300_000) },
  { notes: 'x'.repeat(12_000_000) },
  { notes: deep(80) },
  { junk: Array.from({ length: 50_000 }, (_, index) => ({ index })) },
  { start: 'tomorrow', end: 7, status: ['scheduled'], createdAt: 'never' },
  { customerId: 'nobody', petId: [new Types.ObjectId()], serviceId: 12, staffId: { $ne: null } },
  ...STORED_VALUES.map(([, value]) =>
    Object.fromEntries(
      ['petId', 'staffId', 'locationId', 'end', 'status', 'source', 'notes', 'createdAt'].map((field) => [
        field,
        value,
      ]),
    ),
  ),
];
const TOO_LARGE = 2;

export const POISON_FAULTS: readonly Scenario[] = [
  {
    fault: 'Poison documents: huge, deep, wrong types',
    answers: [],
    seen: 'Huge ones fail at once as `SNAPSHOT_TOO_LARGE`; of the others each wrong field is null. All else as usual.',
    async inflict({ arena: { world, fleet, ledger } }) {
      const api = { url: fleet.gateways[0]!.board!.url };
      const company = await world.documents.company();
      const ids = await Promise.all(POISON.map((fields) => company.appointment(fields)));
      for (const appointmentId of ids) {
        const response = await world.post(api, 'appointment-updated', { appointmentId });
        const { emissionId } = (await response.json()) as Partial<EmitReply> & { emissionId?: string };
        if (emissionId === undefined) throw new Error(`not accepted: ${response.status}`);
        ledger.accepted(emissionId);
      }
      await ledger.settled();
      const words = [...ledger.failed.values()];
      if (words.length !== TOO_LARGE || !words.every((said) => said.startsWith('SNAPSHOT_TOO_LARGE')))
        throw new Error(`failed otherwise than expected: ${words.join('; ')}`);
      return async () => {
        for (const id of ids) await company.change(id, { notes: 'mended', junk: [] });
      };
    },
  },
];
