import type { AppointmentPayload, EmissionMeta } from '@appointment-emissions/contracts';
import { compareStamps } from './order.ts';

/** One appointment event as it came from the server. */
export interface Arrival {
  payload: AppointmentPayload;
  meta: EmissionMeta;
}

/** An entry of the company's log itself; a replay stands for entries but has no offset of its own. */
export function isLive({ meta }: Arrival): boolean {
  return meta.read === 0;
}

/** Events that may not be shown yet. */
export function createHeld() {
  let arrivals: Arrival[] = [];
  return {
    get size() {
      return arrivals.length;
    },
    get hasReplays() {
      return arrivals.some((arrival) => !isLive(arrival));
    },
    put(arrival: Arrival): void {
      arrivals.push(arrival);
    },
    /** Takes all out, in order of (offset, read). */
    take(): Arrival[] {
      const taken = arrivals.sort((a, b) => compareStamps(a.meta, b.meta));
      arrivals = [];
      return taken;
    },
    /** The highest live offset held of the epoch, 0 where there is none. */
    highest(epoch: string): number {
      return arrivals.reduce(
        (highest, arrival) =>
          isLive(arrival) && arrival.meta.epoch === epoch ? Math.max(highest, arrival.meta.offset) : highest,
        0,
      );
    },
  };
}
