import { APPOINTMENT_EVENTS, type AppointmentEvent } from '@appointment-emissions/contracts';
import { OUTCOMES, outcomeField, type Outcome } from './names.ts';

/** `successRate` and `failureRate` are shares of the emissions that ended: published or failed; null when none did. */
export type Rates = Record<Outcome, number> & { successRate: number | null; failureRate: number | null };

/** Counters by field, as they stand in Redis, added up over a window. */
export type Counts = ReadonlyMap<string, number>;

function ratesOf(counted: Record<Outcome, number>): Rates {
  const ended = counted.published + counted.failed;
  const share = (n: number) => (ended === 0 ? null : n / ended);
  return { ...counted, successRate: share(counted.published), failureRate: share(counted.failed) };
}

/** Rates of one event, or of all three together. */
export function rates(counts: Counts, events: readonly AppointmentEvent[] = APPOINTMENT_EVENTS): Rates {
  const counted = { accepted: 0, published: 0, retried: 0, failed: 0 };
  for (const outcome of OUTCOMES)
    for (const event of events) counted[outcome] += counts.get(outcomeField(event, outcome)) ?? 0;
  return ratesOf(counted);
}

/** Requests turned away, by reason. */
export function rejections(counts: Counts): Record<string, number> {
  const found = [...counts].filter(([field]) => field.startsWith('r|'));
  return Object.fromEntries(found.map(([field, n]) => [field.slice(2), n]));
}
