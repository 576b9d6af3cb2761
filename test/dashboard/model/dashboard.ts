import type { AppointmentSnapshot, StreamPosition } from '@appointment-emissions/contracts';
import type { ReceivedEvent } from '../../../packages/dashboard/src/reorder-buffer.ts';
import { createEditedScreen } from '../../../packages/dashboard/src/edits/edited-screen.ts';
import { createScreen, type isAbove } from '../../../packages/dashboard/src/screen.ts';
import { Sequence } from '../../../packages/dashboard/src/sequence.ts';
import type { Company, ListReply, Packet, Process, Written } from './company.ts';
import { followEdits } from './edits.ts';

const writtenOf = (notes: string | null) => JSON.parse(notes ?? '') as Written;

/** Safeguards that a negative control replaces. */
export interface Replaced {
  isNewer?: typeof isAbove;
  createEdited?: typeof createEditedScreen;
}

/** A dashboard with the library's sequence, a connection, its requests and edits. It checks that the screen never goes back. */
export function createDashboard(
  company: Company,
  spawn: (process: Process) => void,
  { isNewer, createEdited = createEditedScreen }: Replaced,
) {
  const screen = createEdited(createScreen(isNewer), true);
  const edits = followEdits(screen, company, spawn);
  const sequence = new Sequence({ screen, onShown, maxBuffered: 12 });
  const newest = new Map<string, number>();
  /** Appointments whose newest shown event is a deletion. */
  const deleted = new Set<string>();
  /** Appointments that the last list did not contain, with the version that was outside its range. */
  let absentFromList = new Map<string, StreamPosition & { version: number }>();
  let onGateway: Packet[] = [];
  let wire: Packet[] = [];
  let connection = 0;
  let isConnected = false;
  let inRoom = false;
  let isCatchingUp = false;
  let isListing = false;
  let isLoaded = false;
  const lists: ListReply[] = [];

  company.onPublished((event) => onGateway.push({ kind: 'event', event }));

  function onShown({ payload: { appointment } }: ReceivedEvent): void {
    const { version, isDeleted } = writtenOf((appointment as AppointmentSnapshot).notes);
    const before = newest.get(appointment._id) ?? 0;
    if (isDeleted && version < before) {
      throw new Error(`${appointment._id} went back from ${before} to its deletion ${version}`);
    }
    if (isDeleted) {
      newest.set(appointment._id, version);
      deleted.add(appointment._id);
      edits.onDeleted(appointment._id);
    }
    check();
  }

  function check(): void {
    for (const [id, { appointment, epoch, offset }] of screen.rows) {
      const { version } = writtenOf(appointment.notes);
      const absent = absentFromList.get(id);
      const wasListed = absent?.epoch === epoch && offset <= absent.offset;
      const before = Math.max(newest.get(id) ?? 0, wasListed ? absent.version : 0);
      if (version < before) throw new Error(`${id} went back from ${before} to ${version}`);
      newest.set(id, version);
      deleted.delete(id);
    }
  }

  function connect(): void {
    const from = sequence.position && { ...sequence.position };
    isConnected = true;
    connection += 1;
    sequence.onConnect(from);
    spawn(join(connection, from));
  }

  function* join(mine: number, from: StreamPosition | undefined): Process {
    const send = (packet: Packet) => mine === connection && wire.push(packet);
    yield;
    if (mine === connection) inRoom = true;
    yield;
    const position = yield* company.replay(from, send);
    send({ kind: 'position', position });
  }

  function* catchUp(mine: number, from: StreamPosition): Process {
    const send = (packet: Packet) => mine === connection && wire.push(packet);
    const position = yield* company.replay(from, send);
    send({ kind: 'reply', from, position });
  }

  function requestCatchUp(): void {
    isCatchingUp = true;
    spawn(catchUp(connection, { ...sequence.position! }));
  }

  function* load(): Process {
    yield;
    lists.push(yield* company.list());
  }

  function reload(): void {
    if (isListing) return;
    isListing = true;
    sequence.onListRequest();
    screen.onListRequest();
    spawn(load());
  }

  function receive(packet: Packet): void {
    if (packet.kind === 'event') sequence.onEvent(packet.event);
    else if (packet.kind === 'position') sequence.onPosition(packet.position);
    else {
      isCatchingUp = false;
      sequence.onReply(packet.from, packet.position);
    }
  }

  function takeList({ list, found }: ListReply): void {
    const before = new Set(screen.rows.keys());
    isListing = false;
    if (!sequence.applyList(list)) return;
    isLoaded = true;
    const absent = [...found].filter(([id]) => !screen.rows.has(id));
    for (const [id, { version }] of absent) {
      // A deletion that was buffered until the list came also removes the row.
      const isRemovedByList = before.has(id) && !deleted.has(id);
      if (isRemovedByList && version < newest.get(id)!) throw new Error(`${id} was removed by an older list`);
    }
    absentFromList = new Map(absent.map(([id, { version }]) => [id, { ...list, version }]));
    check();
  }

  return {
    screen,
    sequence,
    edit: edits.edit,
    checkEdits: edits.check,
    /**
     * The steps that can happen next; empty when everything has settled.
     * @param isIdle true if nothing is under way on the server
     */
    *moves(isIdle: boolean): Generator<() => void> {
      if (onGateway.length > 0) {
        yield () => {
          const packet = onGateway.shift()!;
          if (inRoom) wire.push(packet);
        };
      }
      if (wire.length > 0)
        yield () => {
          receive(wire.shift()!);
        };
      if (lists.length > 0)
        yield () => {
          takeList(lists.shift()!);
        };
      if (!isConnected) yield connect;
      if (sequence.isBehind && !isCatchingUp) yield requestCatchUp;
      const needsList = sequence.reloadReason !== undefined || !isLoaded || screen.needsList;
      if (needsList && !isListing) yield reload;
      // An edit expires when no snapshot that was read before its commit can arrive.
      const isQuiet = isIdle && onGateway.length + wire.length + lists.length === 0;
      if (isQuiet && edits.canExpire) yield edits.expireNext;
    },
    /** Requests the list although nothing is missing, as when the user opens another week. */
    reload,
    /** Sends a periodic position. */
    sendPosition(): void {
      if (inRoom) wire.push({ kind: 'position', position: { ...company.place(), recovered: true } });
    },
    skipGap(): void {
      if (sequence.isBehind) sequence.skipGap('unavailable');
    },
    cut(): void {
      isConnected = inRoom = isCatchingUp = false;
      connection += 1;
      wire = [];
      sequence.onDisconnect();
    },
    /** Cuts the gateway's Redis subscription: messages in flight are lost without notice. */
    loseMessages(): void {
      onGateway = [];
    },
  };
}
