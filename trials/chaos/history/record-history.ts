import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { AppointmentSnapshot, EmissionMeta, Id, StreamPosition } from '@appointment-emissions/contracts';

/**
 * The history of a run, in files of lines, for `check-history.ts`. A partition holds every line about its keys, so the check of
 * one needs no other.
 *
 * | file                | lines                                                                            | order    |
 * | ------------------- | -------------------------------------------------------------------------------- | -------- |
 * | `writes`            | appointment, version, company                                                    | of time  |
 * | `emissions-<part>`  | `accepted`, `published`, `failed` or `logged`, emission; `received`, emission, socket | any |
 * | `offsets-<part>`    | company/epoch/offset, emission                                                   | any      |
 * | `log-<company>`     | epoch, offset                                                                    | of offset |
 * | `socket-<number>`   | company of the room, company of the appointment, epoch, offset, connection       | of time  |
 * | `screen-<number>`   | company of the screen, company of the appointment, appointment, version, origin  | of time  |
 */
export interface History {
  dir: string;
  /** A bot wrote this version of an appointment, and MongoDB acknowledged it. */
  written: (appointmentId: Id, version: number, companyId: Id) => void;
  /** A bot received a 202 for this emission. */
  accepted: (emissionId: string) => void;
  /** How the job of an emission ended. */
  ended: (emissionId: string, outcome: 'published' | 'failed') => void;
  /** An entry of a company log. */
  logged: (companyId: Id, position: StreamPosition, emissionId: string) => void;
  /** A live event that a plain socket received, before any library drops it. */
  received: (received: ReceivedEvent) => void;
  /** What a dashboard showed. */
  shown: (shown: ShownSnapshot) => void;
  /** Resolves when all lines are on disk. */
  close: () => Promise<void>;
}

export interface ReceivedEvent {
  socket: number;
  /** Number of the connection of this socket. */
  connection: number;
  /** Whose room the socket is in. */
  companyId: Id;
  owner: Id;
  meta: Pick<EmissionMeta, 'emissionId' | 'epoch' | 'offset'>;
}

export interface ShownSnapshot {
  screen: number;
  companyId: Id;
  appointment: Pick<AppointmentSnapshot, '_id' | 'companyId' | 'notes'>;
  /** The emission that carried it, or `list`. */
  origin: string;
}

const DEFAULT_PARTITIONS = 128;

/** Records a history into a folder. @param partitions  more of them make the check smaller */
export function recordHistory(dir: string, partitions = DEFAULT_PARTITIONS): History {
  mkdirSync(dir, { recursive: true });
  const files = new Map<string, WriteStream>();
  function append(name: string, ...fields: (string | number)[]): void {
    let file = files.get(name);
    if (!file) files.set(name, (file = createWriteStream(join(dir, name))));
    file.write(`${fields.join(' ')}\n`);
  }
  const aboutEmission = (emissionId: string, what: string, ...fields: (string | number)[]): void => {
    append(`emissions-${hashOf(emissionId) % partitions}`, what, emissionId, ...fields);
  };
  function aboutOffset(companyId: Id, { epoch, offset }: StreamPosition, emissionId: string): void {
    const key = `${companyId}/${epoch}/${offset}`;
    append(`offsets-${hashOf(key) % partitions}`, key, emissionId);
  }

  return {
    dir,
    written(appointmentId, version, companyId) {
      append('writes', appointmentId, version, companyId);
    },
    accepted(emissionId) {
      aboutEmission(emissionId, 'accepted');
    },
    ended(emissionId, outcome) {
      aboutEmission(emissionId, outcome);
    },
    logged(companyId, position, emissionId) {
      append(`log-${companyId}`, position.epoch, position.offset);
      aboutOffset(companyId, position, emissionId);
      aboutEmission(emissionId, 'logged');
    },
    received({ socket, connection, companyId, owner, meta }) {
      append(`socket-${socket}`, companyId, owner, meta.epoch, meta.offset, connection);
      aboutOffset(companyId, meta, meta.emissionId);
      aboutEmission(meta.emissionId, 'received', socket);
    },
    shown({ screen, companyId, appointment: { _id, companyId: owner, notes }, origin }) {
      append(`screen-${screen}`, companyId, owner, _id, versionOf({ notes }), origin);
    },
    async close() {
      await Promise.all([...files.values()].map((file) => new Promise<void>((resolve) => file.end(resolve))));
    },
  };
}

/** The version that a bot wrote into the notes: `v12`. */
export function versionOf({ notes }: Pick<AppointmentSnapshot, 'notes'>): number {
  return Number(notes?.slice(1) ?? Number.NaN);
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
