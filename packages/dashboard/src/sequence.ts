import type {
  AppointmentList,
  StreamPosition,
  PositionUpdate,
  ReloadReason,
} from '@appointment-emissions/contracts';
import type { ConnectionState } from './connection.ts';
import { createReorderBuffer, hasSnapshot, isLive, type ReceivedEvent } from './reorder-buffer.ts';
import type { Screen } from './screen.ts';

export interface SequenceOptions {
  screen: Screen;
  /** Called for each event that changed the screen. */
  onShown: (event: ReceivedEvent) => void;
  /** Maximum number of buffered events while a gap is open. If there are more, the list must be reloaded. */
  maxBuffered?: number;
}

/**
 * Decides which events to buffer, which to show, when to request a catch-up and when to reload the list. It performs no
 * I/O: `session.ts`, `catch-up.ts` and `reload.ts` call it and carry out its decisions.
 *
 * Invariant: all emissions of the company log with an offset in `(runStart, reached.offset]` were received (a run without
 * gaps). The screen is complete if its list covers everything up to `runStart`; otherwise `reloadReason` says why not.
 */
export class Sequence {
  private readonly screen: Screen;
  private readonly onShown: (event: ReceivedEvent) => void;
  private readonly maxBuffered: number;
  private readonly buffer = createReorderBuffer();
  private isConnected = false;
  private hasJoined = false;
  /** The position sent with the handshake. */
  private joinedFrom: StreamPosition | undefined;
  /** The end of the run. */
  private reached: StreamPosition | undefined;
  private runStart = 0;
  /** The highest known offset in the epoch of `reached`. */
  private head = 0;
  /** A head above the offset of the last list. */
  private unconfirmedHead: number | undefined;
  /** The offset of `reached` when the last periodic position arrived. */
  private reachedAtLastPosition = 0;
  /** True if `reached` may be obsolete. Only a catch-up reply can confirm it. */
  private isUnconfirmed = false;
  private reason: ReloadReason | undefined;
  private shownSinceListRequest = false;
  /** True if a list that was requested before now may contain appointments outside of the present scope. */
  private hasOtherScopeSinceListRequest = false;

  constructor({ screen, onShown, maxBuffered = 10_000 }: SequenceOptions) {
    this.screen = screen;
    this.onShown = onShown;
    this.maxBuffered = maxBuffered;
  }

  /** The stream position up to which everything was received; undefined before the first position or list. */
  get position(): Readonly<StreamPosition> | undefined {
    return this.reached;
  }

  /** Why the list must be reloaded; undefined if it need not be. */
  get reloadReason(): ReloadReason | undefined {
    return this.reason;
  }

  /** True while a catch-up from `position` is needed. */
  get isBehind(): boolean {
    return (
      this.hasJoined && this.reached !== undefined && (this.isUnconfirmed || this.head > this.reached.offset)
    );
  }

  /**
   * True if the server has sent a position, or failed to, since the connection began. Until then all events are buffered.
   */
  get joined(): boolean {
    return this.hasJoined;
  }

  get state(): ConnectionState {
    if (!this.isConnected) return 'connecting';
    if (this.reason !== undefined) return 'reload-needed';
    return this.hasJoined && !this.isBehind ? 'live' : 'catching-up';
  }

  /** @param from the position that was sent with the handshake */
  onConnect(from: StreamPosition | undefined): void {
    this.isConnected = true;
    this.hasJoined = false;
    this.joinedFrom = from;
  }

  /** Drops buffered events: they come after `position`, so the next replay contains them. */
  onDisconnect(): void {
    this.isConnected = this.hasJoined = this.isUnconfirmed = false;
    this.buffer.drain();
    this.head = this.reached?.offset ?? 0;
  }

  onEvent(event: ReceivedEvent): void {
    const { epoch, offset } = event.meta;
    this.buffer.push(event);
    if (this.hasJoined && this.reached !== undefined) {
      if (epoch !== this.reached.epoch) this.isUnconfirmed = true;
      else if (isLive(event)) this.head = Math.max(this.head, offset);
      if (!this.isBehind || offset === this.reached.offset + 1) this.release(false);
      if (!this.isBehind) this.release(true);
    }
    if (this.buffer.size > this.maxBuffered) this.skipGap('too-many');
  }

  /** Handles `emissions:position`. The first one of a connection is the reply to the handshake; later ones reveal gaps. */
  onPosition(position: PositionUpdate): void {
    if (this.reached === undefined) this.onReply(this.joinedFrom, position);
    else if (!this.hasJoined) {
      // A periodic position can arrive before the reply. It is one if it claims `recovered`, although emissions were missed and
      // none was replayed.
      const isPeriodic =
        position.recovered && position.offset > this.reached.offset && !this.buffer.hasReplays;
      if (isPeriodic) this.onNoReply();
      else this.onReply(this.joinedFrom, position);
    } else if (position.epoch !== this.reached.epoch || !position.recovered) this.isUnconfirmed = true;
    else {
      this.head = Math.max(this.head, position.offset);
      // An event can overtake one position, but not two. Then `reached` may be wrong, and a catch-up shows whether it is.
      if (position.offset < Math.min(this.reachedAtLastPosition, this.reached.offset))
        this.isUnconfirmed = true;
      this.reachedAtLastPosition = this.reached.offset;
    }
  }

  /**
   * Handles `emissions:passed`: everything up to this position was sent, or is not for this dashboard. The server sends it only after
   * the reply to the handshake, and only if it has missed nothing itself.
   */
  onPassed({ epoch, offset }: StreamPosition): void {
    if (!this.hasJoined || this.reached === undefined) return;
    if (epoch !== this.reached.epoch) this.isUnconfirmed = true;
    else {
      this.advance(offset);
      this.release(!this.isBehind);
    }
  }

  /** The token has another scope. Buffered events may be outside of it; the list contains what is inside. */
  onOtherScope(isListCurrent: boolean): void {
    this.buffer.drain();
    this.reason = 'scope';
    if (!isListCurrent) this.hasOtherScopeSinceListRequest = true;
  }

  /** Handles the acknowledgement of a catch-up that was requested from `from`, or the reply to a handshake with it. */
  onReply(from: StreamPosition | undefined, position: PositionUpdate): void {
    if (!position.recovered && isTemporary(position.reason)) {
      this.onNoReply();
      return;
    }
    this.hasJoined = true;
    if (
      this.reached !== undefined &&
      (from?.epoch !== this.reached.epoch || from.offset > this.reached.offset)
    ) {
      this.isUnconfirmed = true; // A list has changed `reached` since the request, so the reply does not apply to it.
      return;
    }
    this.isUnconfirmed = false;
    if (from?.epoch === position.epoch && position.offset < from.offset) {
      this.distrustAbove(position.offset, position.reason ?? 'invalid');
      this.release(true);
      return;
    }
    if (this.reached?.epoch === position.epoch) {
      this.reached.offset = Math.max(this.reached.offset, position.offset);
      if (!position.recovered) this.runStart = this.reached.offset;
    } else {
      if (this.reached !== undefined) this.reason = 'epoch';
      this.startRun(position);
    }
    if (!position.recovered) this.reason = position.reason ?? 'gone';
    const { epoch, offset } = this.reached ?? position;
    this.head = Math.max(this.head, offset, this.buffer.highestOffset(epoch));
    this.release(true);
  }

  /** The server has not replied in time to the handshake or to a catch-up. */
  onNoReply(): void {
    // Without a position there is nothing to catch up from; the next position starts the run.
    if (!this.isConnected || this.reached === undefined) return;
    this.hasJoined = true;
    this.isUnconfirmed = true;
  }

  /**
   * Handles catch-up replies that leave the gap open. The first time the list may contain what is missing. If the head
   * is not confirmed by that list either, it is wrong.
   */
  onFutileCatchUps(): void {
    if (this.reached === undefined || this.head !== this.unconfirmedHead) this.skipGap('unavailable');
    else this.distrustAbove(this.reached.offset, 'unavailable');
  }

  /**
   * Continues at `offset`, because the server does not confirm any higher offset of this epoch. Offsets of an epoch never
   * decrease, so the higher ones were never the server's. The reloaded list replaces what was shown with them.
   */
  private distrustAbove(offset: number, reason: ReloadReason): void {
    if (this.reached === undefined) return;
    const { epoch } = this.reached;
    this.startRun({ epoch, offset });
    this.isUnconfirmed = false;
    this.reason = reason;
    this.buffer.dropLiveAbove({ epoch, offset });
    this.screen.distrustAbove({ epoch, offset });
  }

  /** Gives up on the gap: shows all buffered events, continues after them and demands a reload. */
  skipGap(reason: ReloadReason): void {
    this.reason = reason;
    if (this.reached === undefined) {
      this.buffer.drain();
      return;
    }
    const { epoch } = this.reached;
    const offset = Math.max(this.reached.offset, this.head, this.buffer.highestOffset(epoch));
    this.startRun({ epoch, offset });
    this.isUnconfirmed = false;
    this.release(true);
  }

  /** Must be called before each request for a list, so that `applyList` can detect events shown in the meantime. */
  onListRequest(): void {
    this.shownSinceListRequest = this.hasOtherScopeSinceListRequest = false;
  }

  /** Shows a list. Returns false if the list may be older than the screen or its scope, and must be loaded again. */
  applyList(list: AppointmentList): boolean {
    if (this.hasOtherScopeSinceListRequest) return false;
    const isOtherEpoch = this.reached !== undefined && list.epoch !== this.reached.epoch;
    if (isOtherEpoch && this.shownSinceListRequest) {
      this.reason ??= 'epoch';
      this.isUnconfirmed = this.hasJoined;
      return false;
    }
    this.screen.replace(list);
    this.reason = undefined;
    if (this.reached?.epoch === list.epoch && list.offset >= this.runStart) {
      this.advance(list.offset);
    } else {
      const knownHead = this.reached?.epoch === list.epoch ? this.head : undefined;
      this.startRun(list);
      if (knownHead === undefined) this.isUnconfirmed = this.hasJoined;
      else this.head = knownHead;
    }
    // A row has the offset of the head when it was read, which may be higher than the list's.
    for (const row of list.appointments) this.head = Math.max(this.head, row.offset);
    this.unconfirmedHead = this.head > list.offset ? this.head : undefined;
    if (this.hasJoined) this.release(!this.isBehind);
    return true;
  }

  private startRun({ epoch, offset }: StreamPosition): void {
    this.reached = { epoch, offset };
    this.runStart = this.head = offset;
    this.unconfirmedHead = undefined;
    this.reachedAtLastPosition = 0;
  }

  /** Everything up to `offset` was received, or is not for this dashboard. */
  private advance(offset: number): void {
    if (this.reached) this.reached.offset = Math.max(this.reached.offset, offset);
    this.head = Math.max(this.head, offset);
  }

  /** Shows buffered events up to the first gap. @param settled see the buffer's `release` */
  private release(settled: boolean): void {
    if (this.reached === undefined) return;
    for (const event of this.buffer.release(this.reached, settled)) {
      if (isLive(event)) this.reached.offset = Math.max(this.reached.offset, event.meta.offset);
      else this.head = Math.max(this.head, event.meta.offset);
      this.show(event);
    }
  }

  private show(event: ReceivedEvent): void {
    const { epoch, offset, read } = event.meta;
    const stamp = { epoch, offset, read };
    const isNewer = hasSnapshot(event)
      ? this.screen.show({ appointment: event.payload.appointment, ...stamp })
      : this.screen.remove(event.payload.appointment._id, stamp);
    if (!isNewer) return;
    this.shownSinceListRequest = true;
    this.onShown(event);
  }
}

/** True if another catch-up may succeed. Reloading the list would fail for the same reason. */
function isTemporary(reason: ReloadReason | undefined): boolean {
  return reason === 'unavailable' || reason === 'rate-limited';
}
