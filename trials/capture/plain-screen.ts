import type { Id } from '@appointment-emissions/contracts';
import type { Dashboard, Received } from '../../test/harness/dashboard.ts';
import { parseNotes } from './writers.ts';

/** What a plain Socket.IO client shows: it applies an event only if its (epoch, offset, read) is above that of the shown one. */
export interface PlainScreen {
  /** The appointments that it shows now, as they were sent. */
  rows: () => Map<Id, unknown>;
  /** Appointments whose shown version went down, or that came back after their deletion; missing offsets. */
  violations: () => string[];
}

interface Shown {
  meta: Received['meta'];
  /** `undefined`: it was deleted. */
  appointment: unknown;
  version: number;
}

/** @param dashboard  its events are applied in the order of their arrival */
export function createPlainScreen(dashboard: Dashboard, name: string): PlainScreen {
  const apply = () => {
    const shown = new Map<Id, Shown>();
    const violations: string[] = [];
    for (const { event, payload, meta } of dashboard.received) {
      const { appointment } = payload;
      const before = shown.get(appointment._id);
      if (before && !isAbove(meta, before.meta)) continue;
      const isDeleted = event === 'appointment:deleted';
      const version =
        isDeleted || !('notes' in appointment) ? Infinity : parseNotes(appointment.notes).version;
      if (before && version < before.version)
        violations.push(
          `${name} went back from version ${before.version} to ${version} of ${appointment._id} by ${meta.emissionId}`,
        );
      shown.set(appointment._id, { meta, appointment: isDeleted ? undefined : appointment, version });
    }
    return { shown, violations };
  };
  return {
    rows: () =>
      new Map(
        [...apply().shown]
          .filter(([, { appointment }]) => appointment !== undefined)
          .map(([id, { appointment }]) => [id, appointment]),
      ),
    violations: () => [...apply().violations, ...missingOffsets(dashboard, name)],
  };
}

const isAbove = (a: Received['meta'], b: Received['meta']): boolean =>
  a.epoch !== b.epoch || a.offset > b.offset || (a.offset === b.offset && a.read > b.read);

function missingOffsets({ received }: Dashboard, name: string): string[] {
  const live = received.filter(({ meta }) => !meta.replayed);
  const offsets = new Set(live.map(({ meta }) => `${meta.epoch} ${meta.offset}`));
  const last = Math.max(0, ...live.map(({ meta }) => meta.offset));
  const epochs = new Set(live.map(({ meta }) => meta.epoch));
  if (epochs.size > 1) return [`${name} saw ${epochs.size} epochs, although Redis was not restarted`];
  return offsets.size === last ? [] : [`${name} received ${offsets.size} of ${last} emissions`];
}
