import {
  APPOINTMENT_DELETED,
  type AppointmentPayload,
  type DeletionPayload,
  type EmissionMeta,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import { compareStamps } from './screen.ts';

interface ReceivedSnapshot {
  payload: AppointmentPayload;
  meta: EmissionMeta;
}

interface ReceivedDeletion {
  payload: DeletionPayload;
  meta: EmissionMeta;
}

/** One appointment event as received from the server. */
export type ReceivedEvent = ReceivedSnapshot | ReceivedDeletion;

/** False for a deletion. */
export function hasSnapshot(event: ReceivedEvent): event is ReceivedSnapshot {
  return event.meta.event !== APPOINTMENT_DELETED;
}

/** True if the event is an entry of the company log. A replay is not: it has the offset of the head when it was read. */
export function isLive({ meta }: ReceivedEvent): boolean {
  return meta.read === 0;
}

/** Holds received events until they can be shown in order. */
export function createReorderBuffer() {
  let events: ReceivedEvent[] = [];

  /** Removes and returns all events, in order of (offset, read). */
  function drain(): ReceivedEvent[] {
    const drained = events.sort((a, b) => compareStamps(a.meta, b.meta));
    events = [];
    return drained;
  }

  return {
    drain,
    get size() {
      return events.length;
    },
    get hasReplays() {
      return events.some((event) => !isLive(event));
    },
    push(event: ReceivedEvent): void {
      events.push(event);
    },
    /**
     * Removes and returns the events up to the first gap after a position, in order.
     * @param settled true if no catch-up reply is outstanding. Then replays are returned, and events of other epochs are dropped;
     *   otherwise both stay in the buffer
     */
    release({ epoch, offset: from }: StreamPosition, settled: boolean): ReceivedEvent[] {
      let reached = from;
      const kept: ReceivedEvent[] = [];
      const released: ReceivedEvent[] = [];
      for (const event of drain()) {
        const { offset } = event.meta;
        if (event.meta.epoch !== epoch) {
          if (!settled) kept.push(event);
        } else if (isLive(event) ? offset > reached + 1 : !settled) kept.push(event);
        else {
          if (isLive(event)) reached = Math.max(reached, offset);
          released.push(event);
        }
      }
      events = kept;
      return released;
    },
    dropLiveAbove({ epoch, offset }: StreamPosition): void {
      events = events.filter(
        (event) => !isLive(event) || event.meta.epoch !== epoch || event.meta.offset <= offset,
      );
    },
    /** The highest live offset of an epoch in the buffer, or 0. */
    highestOffset(epoch: string): number {
      return events.reduce(
        (highest, event) =>
          isLive(event) && event.meta.epoch === epoch ? Math.max(highest, event.meta.offset) : highest,
        0,
      );
    },
  };
}
