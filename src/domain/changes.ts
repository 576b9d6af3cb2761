import type { Id } from '@appointment-emissions/contracts';

/** A document that appointments refer to. */
export interface ReferredDocument {
  collection: string;
  documentId: Id;
}

/** A committed write of an appointment, or of a document that appointments refer to. */
export type Change = AppointmentChange | ReferenceChange;

/** A committed write of one appointment. */
export interface AppointmentChange extends Committed {
  kind: 'created' | 'written' | 'deleted';
  appointmentId: Id;
  /** From the pre-image of a deleted document, if the collection keeps pre-images. */
  companyId: Id | null;
}

export interface ReferenceChange extends Committed, ReferredDocument {
  kind: 'reference';
}

interface Committed {
  /** By MongoDB's clock, in ms since 1970; `null` if the server does not say. */
  committedAt: number | null;
  /** MongoDB's cluster time, in decimal digits; if it gives none, a hash. With the document it identifies the change. */
  clusterTime: string;
  /** After this change the stream can continue. */
  resumeToken: string;
}

/** An open change stream. */
export interface Changes {
  /**
   * The next change. Changes that are no write of an appointment are skipped. Waits without limit.
   * @throws StreamEnded if the stream cannot continue from its token
   * @throws what the driver throws
   */
  next: () => Promise<Change>;
  /** Resolves when the server has opened the stream: from now on no change is missed. */
  opened: Promise<void>;
  /** Where the stream is now, also if there were no changes; `undefined` before the server's first reply. */
  resumeToken: () => string | undefined;
  close: () => Promise<void>;
}

/** @param resumeToken  of a change; without it the stream begins now */
export type OpenChanges = (resumeToken: string | undefined) => Changes;

/**
 * Why a stream begins at the present. `history-lost`: the oplog no longer reaches back to the token; `invalidated`: the
 * collection was dropped or renamed; `too-large`: a change exceeds 16 MB; `token`: the token is damaged, or the server does not
 * accept it; `missing`: none is saved, as at the first start, or after Redis lost it.
 */
export const END_REASONS = ['history-lost', 'invalidated', 'too-large', 'token', 'missing'] as const;
export type EndReason = (typeof END_REASONS)[number];

export class StreamEnded extends Error {
  readonly reason: EndReason;

  constructor(reason: EndReason, options?: ErrorOptions) {
    super(`the change stream cannot continue: ${reason}`, options);
    this.name = 'StreamEnded';
    this.reason = reason;
  }
}

/** The server has no change streams: it is no replica set, or another product. */
export class NoChangeStreams extends Error {
  constructor(options?: ErrorOptions) {
    super('this MongoDB has no change streams: they need a replica set', options);
    this.name = 'NoChangeStreams';
  }
}

/**
 * Ids of the appointments that refer to a document and start between `from` and `to` (ms since 1970), by start, at most
 * `limit`. The query uses the index of the list route, so it needs the company of the document: for a document without one,
 * which all companies share, nothing is found. @throws what the driver throws
 */
export type FindReferring = (
  document: ReferredDocument,
  range: { from: number; to: number },
  limit: number,
) => Promise<Id[]>;
