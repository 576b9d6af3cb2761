import {
  APPOINTMENT_DELETED,
  type AppointmentList,
  type AppointmentSnapshot,
  type EmissionMeta,
  type Id,
  type PositionUpdate,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import type { ReceivedEvent } from '../../../packages/dashboard/src/reorder-buffer.ts';
import {
  createScreen,
  isAbove,
  type Screen,
  type ShownAppointment,
  type Stamp,
} from '../../../packages/dashboard/src/screen.ts';
import { Sequence } from '../../../packages/dashboard/src/sequence.ts';

/** What a dashboard receives: from its socket, as the reply to a request, or as an event of its own connection. */
export type DashboardInput =
  | { connect: true }
  | { disconnect: true }
  | { event: { payload: { appointment: Partial<AppointmentSnapshot> }; meta: Partial<EmissionMeta> } }
  | { position: PositionUpdate }
  | { reply: PositionUpdate; from: StreamPosition }
  | { requestList: true }
  | { list: AppointmentList };

/** What a dashboard does next, if nothing arrives. */
export interface DashboardWants {
  isConnected: boolean;
  hasJoined: boolean;
  isBehind: boolean;
  needsList: boolean;
  isLive: boolean;
  position: StreamPosition | null;
  /** Version of each row, by appointment. */
  rows: Record<Id, number>;
}

/** The state of the library's sequence and screen, as JSON. */
interface SavedDashboard {
  /** Fields of `Sequence`. */
  fields: Record<string, unknown>;
  buffered: ReceivedEvent[];
  rows: ShownAppointment[];
  deletions: [Id, Stamp][];
  /** Undefined before the first list. `read` is absent if it is infinite. */
  floor: (Omit<Stamp, 'read'> & { read?: number }) | undefined;
  isLoaded: boolean;
  /** The newest version that was shown, by appointment: 0 for none. */
  newest: Record<Id, number>;
}

/** The version of an appointment whose deletion was shown. */
const GONE = 1_000;
const FIELDS = [
  'isConnected',
  'hasJoined',
  'joinedFrom',
  'reached',
  'runStart',
  'head',
  'unconfirmedHead',
  'reachedAtLastPosition',
  'isUnconfirmed',
  'reason',
  'shownSinceListRequest',
  'hasOtherScopeSinceListRequest',
];
const UNKNOWN_ID = 'unknown';

interface Internals {
  buffer: { push: (event: ReceivedEvent) => void; drain: () => ReceivedEvent[] };
  [field: string]: unknown;
}

/** A dashboard that has received nothing yet. */
export const NEW_DASHBOARD = JSON.stringify(save(restore(undefined), { isLoaded: false, newest: {} }));

/**
 * Gives an input to a dashboard.
 * @returns its next state, and what went wrong; an empty text if nothing did
 */
export function receive(saved: string, input: string, companyId: Id): [next: string, violation: string] {
  const before = JSON.parse(saved) as SavedDashboard;
  const restored = restore(before);
  const isListed = handle(restored, JSON.parse(input) as DashboardInput);
  const { newest, violation } = compareVersions(before.newest, restored);
  const isForeign = [...restored.screen.rows.values()].some((row) => row.appointment.companyId !== companyId);
  return [
    JSON.stringify(save(restored, { isLoaded: before.isLoaded || isListed, newest })),
    isForeign ? 'the screen shows an appointment of another company' : violation,
  ];
}

export function wantsOf(saved: string): DashboardWants {
  const before = JSON.parse(saved) as SavedDashboard;
  const restored = restore(before);
  const { sequence } = restored;
  return {
    isConnected: before.fields['isConnected'] === true,
    hasJoined: sequence.joined,
    isBehind: sequence.isBehind,
    needsList: !before.isLoaded || sequence.reloadReason !== undefined,
    isLive: sequence.state === 'live',
    position: sequence.position ?? null,
    rows: versionsOn(restored.screen),
  };
}

/** @returns true if a list was shown */
function handle({ sequence }: RestoredDashboard, input: DashboardInput): boolean {
  if ('connect' in input) sequence.onConnect(sequence.position && { ...sequence.position });
  else if ('disconnect' in input) sequence.onDisconnect();
  else if ('event' in input) sequence.onEvent(input.event as ReceivedEvent);
  else if ('position' in input) sequence.onPosition(input.position);
  else if ('reply' in input) sequence.onReply(input.from, input.reply);
  else if ('requestList' in input) sequence.onListRequest();
  else return sequence.applyList(input.list);
  return false;
}

function versionsOn(screen: Screen): Record<Id, number> {
  return Object.fromEntries(
    [...screen.rows].map(([id, { appointment }]) => [id, Number(appointment.notes)] as const),
  );
}

/**
 * Compares what is on the screen with what was. An appointment that is missing from a list was not read for it, so its absence has
 * no order: an event that was published after the list's position may show it once more, until its deletion arrives.
 */
function compareVersions(
  earlier: Record<Id, number>,
  { screen, deleted }: RestoredDashboard,
): { newest: Record<Id, number>; violation: string } {
  let violation = '';
  const newest = { ...earlier };
  for (const id of deleted) newest[id] = GONE;
  for (const [id, version] of Object.entries(versionsOn(screen))) {
    const before = newest[id] ?? 0;
    if (version < before) {
      const from = before === GONE ? 'its deletion' : `version ${before}`;
      violation ||= `the screen goes back: appointment ${id.slice(-1)} from ${from} to version ${version}`;
    }
    newest[id] = version;
  }
  return { newest: sorted(newest), violation };
}

interface RestoredDashboard {
  sequence: Sequence;
  screen: Screen;
  /** Appointments whose deletion it has shown since. */
  deleted: Set<Id>;
  /** The order that an appointment has on the screen, or had when it was removed. */
  stampOf: (id: Id) => Stamp | undefined;
}

function restore(saved: SavedDashboard | undefined): RestoredDashboard {
  let mode: 'use' | 'restore' | 'probe' = 'restore';
  let probed: Stamp | undefined;
  const screen = createScreen((candidate, shown) => {
    if (mode === 'use') return isAbove(candidate, shown);
    probed = shown;
    return mode === 'restore';
  });
  const deleted = new Set<Id>();
  const sequence = new Sequence({
    screen,
    onShown({ payload, meta }) {
      if (meta.event === APPOINTMENT_DELETED) deleted.add(payload.appointment._id);
    },
  });
  if (saved) {
    restoreFloor(screen, saved.floor);
    for (const [id, stamp] of saved.deletions) screen.remove(id, stamp);
    for (const row of saved.rows) screen.show(row);
    const internals = sequence as unknown as Internals;
    Object.assign(internals, saved.fields);
    for (const event of saved.buffered) internals.buffer.push(event);
  }
  mode = 'use';
  return {
    sequence,
    screen,
    deleted,
    stampOf(id) {
      mode = 'probe';
      screen.remove(id, { epoch: '', offset: 0, read: 0 });
      mode = 'use';
      return probed;
    },
  };
}

function restoreFloor(screen: Screen, floor: SavedDashboard['floor']): void {
  if (!floor) return;
  const { epoch, offset, read } = floor;
  if (read === undefined) screen.replace({ epoch, offset, appointments: [] });
  else {
    screen.replace({ epoch, offset: offset + 1, appointments: [] });
    screen.distrustAbove({ epoch, offset });
  }
}

/** Takes the dashboard apart: it is not used again. */
function save(
  { sequence, screen, stampOf }: RestoredDashboard,
  { isLoaded, newest }: Pick<SavedDashboard, 'isLoaded' | 'newest'>,
): SavedDashboard {
  const internals = sequence as unknown as Internals;
  // Not read again before it is set, so that it must not make states differ.
  if (sequence.joined && sequence.position) internals['joinedFrom'] = undefined;
  const floor = stampOf(UNKNOWN_ID);
  const rows = [...screen.rows.values()].sort((a, b) => (a.appointment._id < b.appointment._id ? -1 : 1));
  const deletions = Object.keys(newest).flatMap((id): [Id, Stamp][] => {
    const stamp = screen.rows.has(id) ? undefined : stampOf(id);
    return stamp && !isSame(stamp, floor) ? [[id, copyStamp(stamp)]] : [];
  });
  return {
    fields: Object.fromEntries(FIELDS.map((name) => [name, internals[name]])),
    buffered: internals.buffer.drain(),
    rows: rows.map((row) => ({ appointment: row.appointment, ...copyStamp(row) })),
    deletions,
    floor: floor && {
      epoch: floor.epoch,
      offset: floor.offset,
      ...(floor.read < Infinity && { read: floor.read }),
    },
    isLoaded,
    newest,
  };
}

const copyStamp = ({ epoch, offset, read }: Stamp): Stamp => ({ epoch, offset, read });

function isSame(a: Stamp, b: Stamp | undefined): boolean {
  return b !== undefined && a.epoch === b.epoch && a.offset === b.offset && a.read === b.read;
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
