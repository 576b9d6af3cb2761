import { Types } from 'mongoose';
import type { EmitReply } from '@appointment-emissions/contracts';
import { STORED_VALUES } from '../../test/harness/stored-values.ts';
import type { Scenario } from './scenario.ts';

const deep = (depth: number): unknown => (depth === 0 ? 'x' : { deeper: deep(depth - 1) });

/** Field values that another version of the bot or a manual change of the database may have left behind. */
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
    fault: 'Malformed documents: huge, deeply nested, wrong types',
    allowedOutcomes: [],
    effect: 'Huge ones fail at once; other malformed fields are null.',
    async inject({ testbed: { world, fleet, ledger } }) {
      const api = { url: fleet.gateways[0]!.balancer!.url };
      const company = await world.documents.company();
      const ids = await Promise.all(POISON.map((fields) => company.appointment(fields)));
      for (const appointmentId of ids) {
        const response = await world.post(api, 'appointment-updated', { appointmentId });
        const { emissionId } = (await response.json()) as Partial<EmitReply> & { emissionId?: string };
        if (emissionId === undefined) throw new Error(`not accepted: ${response.status}`);
        ledger.recordAccepted(emissionId);
      }
      await ledger.settled();
      const reasons = [...ledger.failed.values()];
      if (reasons.length !== TOO_LARGE || !reasons.every((reason) => reason.startsWith('SNAPSHOT_TOO_LARGE')))
        throw new Error(`unexpected failures: ${reasons.join('; ')}`);
      return async () => {
        for (const id of ids) await company.change(id, { notes: 'repaired', junk: [] });
      };
    },
  },
];
