import type { Place } from '@appointment-emissions/contracts';
import type { isAbove } from '../../../packages/dashboard/src/order.ts';
import { createScreen } from '../../../packages/dashboard/src/screen.ts';
import { createSequence } from '../../../packages/dashboard/src/sequence.ts';
import type { Company, ListReply, Packet, Process, Written } from './company.ts';

const writtenOf = (notes: string | null) => JSON.parse(notes ?? '') as Written;

/** One dashboard with the library's sequence in it, its connection and its requests; checks what it shows. */
export function createDashboard(
  company: Company,
  spawn: (process: Process) => void,
  isNewer?: typeof isAbove,
) {
  const screen = createScreen(isNewer);
  const sequence = createSequence({ screen, onShown: check, heldMax: 12 });
  const newest = new Map<string, number>();
  /** What the last list left out, and which version of it was outside of the range. */
  let leftOut = new Map<string, Place & { version: number }>();
  let onGateway: Packet[] = [];
  let wire: Packet[] = [];
  let connection = 0;
  let isConnected = false;
  let inRoom = false;
  let isAsking = false;
  let isListing = false;
  let isLoaded = false;
  const lists: ListReply[] = [];

  company.onPublished((arrival) => onGateway.push({ kind: 'event', arrival }));

  function check(): void {
    for (const [id, { appointment, epoch, offset }] of screen.rows) {
      const { version } = writtenOf(appointment.notes);
      const absent = leftOut.get(id);
      const wasListed = absent?.epoch === epoch && offset <= absent.offset;
      const before = Math.max(newest.get(id) ?? 0, wasListed ? absent.version : 0);
      if (version < before) throw new Error(`${id} went back from ${before} to ${version}`);
      newest.set(id, version);
    }
  }

  function connect(): void {
    const from = sequence.place && { ...sequence.place };
    isConnected = true;
    connection += 1;
    sequence.connected(from);
    spawn(join(connection, from));
  }

  function* join(mine: number, from: Place | undefined): Process {
    const send = (packet: Packet) => mine === connection && wire.push(packet);
    yield;
    if (mine === connection) inRoom = true;
    yield;
    const position = yield* company.replay(from, send);
    send({ kind: 'position', position });
  }

  function* catchUp(mine: number, from: Place): Process {
    const send = (packet: Packet) => mine === connection && wire.push(packet);
    const position = yield* company.replay(from, send);
    send({ kind: 'answer', from, position });
  }

  function ask(): void {
    isAsking = true;
    spawn(catchUp(connection, { ...sequence.place! }));
  }

  function* load(): Process {
    yield;
    lists.push(yield* company.list());
  }

  function reload(): void {
    if (isListing) return;
    isListing = true;
    sequence.requested();
    spawn(load());
  }

  function receive(packet: Packet): void {
    if (packet.kind === 'event') sequence.arrived(packet.arrival);
    else if (packet.kind === 'position') sequence.positioned(packet.position);
    else {
      isAsking = false;
      sequence.answered(packet.from, packet.position);
    }
  }

  function takeList({ list, found }: ListReply): void {
    const before = new Set(screen.rows.keys());
    isListing = false;
    if (!sequence.listed(list)) return;
    isLoaded = true;
    const absent = [...found].filter(([id]) => !screen.rows.has(id));
    for (const [id, { version }] of absent) {
      if (before.has(id) && version < newest.get(id)!)
        throw new Error(`${id} was taken away by an older list`);
    }
    leftOut = new Map(absent.map(([id, { version }]) => [id, { ...list, version }]));
    check();
  }

  return {
    screen,
    sequence,
    /** What can happen next; nothing when all is settled. */
    *moves(): Generator<() => void> {
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
      if (sequence.behind && !isAsking) yield ask;
      if ((sequence.missing !== undefined || !isLoaded) && !isListing) yield reload;
    },
    /** The list is asked for though nothing is missing, as when another week is looked at. */
    reload,
    pulse(): void {
      if (inRoom) wire.push({ kind: 'position', position: { ...company.place(), recovered: true } });
    },
    giveUp(): void {
      if (sequence.behind) sequence.skip('unavailable');
    },
    cut(): void {
      isConnected = inRoom = isAsking = false;
      connection += 1;
      wire = [];
      sequence.disconnected();
    },
    /** The gateway's Redis subscription is cut: what was on its way is lost, silently. */
    lose(): void {
      onGateway = [];
    },
  };
}
