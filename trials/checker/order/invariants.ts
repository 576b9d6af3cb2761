import { APPOINTMENT_DELETED, type Id } from '@appointment-emissions/contracts';
import { memoize } from './parts.ts';
import { wantsOfPart } from './transitions.ts';
import { type Database, type Layout, type State, valueOf } from './state.ts';

interface Packet {
  event: {
    payload: { appointment: { _id: Id; companyId: Id } };
    meta: { event: string; epoch: string; offset: number };
  };
}

/**
 * `(last published position, company, packets, database) → [last published position, violation]`. Checks messages as they are
 * published: offsets are consecutive within an epoch, and each company gets only its own appointments.
 */
export const checkMessages = memoize((last, companyId, packets, databaseText) => {
  const database = JSON.parse(databaseText) as Database;
  let [epoch, offset] = JSON.parse(last || '["", 0]') as [string, number];
  let violation = '';
  for (const { event } of JSON.parse(packets) as Packet[]) {
    const { meta, payload } = event;
    const expected = meta.epoch === epoch ? offset + 1 : 1;
    if (meta.offset !== expected)
      violation ||= `offsets are not consecutive: ${meta.offset} follows ${expected - 1} in one epoch`;
    // The document of a deletion is gone: its company is the one that the caller named.
    const isDeletion = meta.event === APPOINTMENT_DELETED;
    const owner = isDeletion ? companyId : database[payload.appointment._id]?.companyId;
    if (owner !== companyId || payload.appointment.companyId !== companyId)
      violation ||= `company ${companyId.slice(-1)} gets an appointment of another company`;
    [epoch, offset] = [meta.epoch, meta.offset];
  }
  return [JSON.stringify([epoch, offset]), violation];
});

/** What is wrong with a state in which nothing is left to do; undefined if nothing is. */
export function checkSettled(state: State, layout: Layout): string | undefined {
  const database = valueOf(state[layout.database]) as Database;
  for (const { id, name, dashboard } of layout.companies) {
    const { isLive, rows } = wantsOfPart(state[dashboard]!);
    if (!isLive) return `the dashboard of ${name} never becomes live again`;
    const wanted = Object.entries(database).filter(
      ([, { companyId, isDeleted }]) => companyId === id && !isDeleted,
    );
    const shown = wanted.every(([appointmentId, { version }]) => rows[appointmentId] === version);
    if (!shown || Object.keys(rows).length !== wanted.length) {
      const expected = wanted.map(([appointmentId, { version }]) => [appointmentId, version] as const);
      return `the dashboard of ${name} ends with ${describe(Object.entries(rows))} instead of ${describe(expected)}`;
    }
  }
  return undefined;
}

function describe(rows: readonly (readonly [Id, number])[]): string {
  const texts = rows.map(([id, version]) => `version ${version} of appointment ${id.slice(-1)}`);
  return texts.length > 0 ? texts.join(' and ') : 'no appointment';
}
