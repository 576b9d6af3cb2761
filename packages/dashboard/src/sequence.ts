import type {
  AppointmentList,
  StreamPosition,
  PositionUpdate,
  ReloadReason,
} from '@appointment-emissions/contracts';
import { createReorderBuffer, isLive, type ReceivedEvent } from './reorder-buffer.ts';
import type { Screen } from './screen.ts';

/**
 * State of a dashboard relative to its company log.
 *
 * | state           | meaning                                                  | leaves it when                                  |
 * | --------------- | -------------------------------------------------------- | ----------------------------------------------- |
 * | `connecting`    | no connection                                            | connected → `catching-up` or `reload-needed`    |
 * | `catching-up`   | waiting for a position, or for missed emissions          | all received → `live`; unrecoverable → `reload-needed` |
 * | `live`          | all known emissions are shown                            | gap or unknown epoch → `catching-up`            |
 * | `reload-needed` | missed emissions cannot be replayed                      | list applied → `live` or `catching-up`          |
 *
 * Every state changes to `connecting` when the connection ends.
 */
export type ConnectionState = 'connecting' | 'catching-up' | 'reload-needed' | 'live';

export interface SequenceOptions {
  screen: Screen;
  /** Called for each event whose snapshot was shown on the screen. */
  onShown: (event: ReceivedEvent) => void;
  /** Maximum number of buffered events while a gap is open. If there are more, the list must be reloaded. */
  maxBuffered?: number;
}

export type Sequence = ReturnType<typeof createSequence>;

/** True if another catch-up may succeed. Reloading the list would fail for the same reason. */
function isTemporary(reason: ReloadReason | undefined): boolean {
  return reason === 'unavailable' || reason === 'rate-limited';
}

/**
 * Decides which events to buffer, which to show, when to request a catch-up and when to reload the list. It performs no
 * I/O: `link.ts`, `catch-up.ts` and `reload.ts` call it and carry out its decisions.
 *
 * Invariant: all emissions of the company log with an offset in `(runStart, reached.offset]` were received (a run without
 * gaps). The screen is complete if its list covers everything up to `runStart`; otherwise `reloadReason` says why not.
 */
export function createSequence({ screen, onShown, maxBuffered = 10_000 }: SequenceOptions) {
  const buffer = createReorderBuffer();
  let isConnected = false;
  /** False until the server has sent the first position of a connection. Until then all events are buffered. */
  let joined = false;
  /** The position sent with the handshake. */
  let joinedFrom: StreamPosition | undefined;
  /** The end of the run. */
  let reached: StreamPosition | undefined;
  let runStart = 0;
  /** The highest known offset in the epoch of `reached`. */
  let head = 0;
  /** True if `reached` may be obsolete. Only a catch-up reply can confirm it. */
  let isUnconfirmed = false;
  let reloadReason: ReloadReason | undefined;
  let shownSinceListRequest = false;

  const isBehind = () => joined && reached !== undefined && (isUnconfirmed || head > reached.offset);

  function startRun({ epoch, offset }: StreamPosition): void {
    reached = { epoch, offset };
    runStart = head = offset;
  }

  function show(event: ReceivedEvent): void {
    const { epoch, offset, read } = event.meta;
    if (!screen.show({ appointment: event.payload.appointment, epoch, offset, read })) return;
    shownSinceListRequest = true;
    onShown(event);
  }

  /**
   * Shows buffered events up to the first gap.
   * @param settled true if no catch-up reply is outstanding. Then replays are shown, and events of other epochs are dropped;
   *   otherwise both stay in the buffer
   */
  function release(settled: boolean): void {
    if (reached === undefined) return;
    for (const event of buffer.drain()) {
      const { epoch, offset } = event.meta;
      if (epoch !== reached.epoch) {
        if (!settled) buffer.push(event);
      } else if (isLive(event) ? offset > reached.offset + 1 : !settled) {
        buffer.push(event);
      } else {
        if (isLive(event)) reached.offset = Math.max(reached.offset, offset);
        show(event);
      }
    }
  }

  /** Gives up on the gap: shows all buffered events, continues after them and demands a reload. */
  function skipGap(reason: ReloadReason): void {
    reloadReason = reason;
    if (reached === undefined) {
      buffer.drain();
      return;
    }
    const offset = Math.max(reached.offset, head, buffer.highestOffset(reached.epoch));
    startRun({ epoch: reached.epoch, offset });
    isUnconfirmed = false;
    release(true);
  }

  function onNoReply(): void {
    // Without a position there is nothing to catch up from; the next position starts the run.
    if (!isConnected || reached === undefined) return;
    joined = true;
    isUnconfirmed = true;
  }

  function onReply(from: StreamPosition | undefined, position: PositionUpdate): void {
    if (!position.recovered && isTemporary(position.reason)) {
      onNoReply();
      return;
    }
    joined = true;
    if (reached !== undefined && (from?.epoch !== reached.epoch || from.offset > reached.offset)) {
      isUnconfirmed = true; // A list has changed `reached` since the request, so the reply does not apply to it.
      return;
    }
    isUnconfirmed = false;
    if (reached?.epoch === position.epoch) {
      reached.offset = Math.max(reached.offset, position.offset);
      if (!position.recovered) runStart = reached.offset;
    } else {
      if (reached !== undefined) reloadReason = 'epoch';
      startRun(position);
    }
    if (!position.recovered) reloadReason = position.reason ?? 'gone';
    const { epoch, offset } = reached ?? position;
    head = Math.max(head, offset, buffer.highestOffset(epoch));
    release(true);
  }

  return {
    /** The stream position up to which everything was received; undefined before the first position or list. */
    get position(): Readonly<StreamPosition> | undefined {
      return reached;
    },
    /** Why the list must be reloaded; undefined if it need not be. */
    get reloadReason() {
      return reloadReason;
    },
    /** True while a catch-up from `position` is needed. */
    get isBehind() {
      return isBehind();
    },
    /** True if the server has sent a position, or failed to, since the connection began. */
    get joined() {
      return joined;
    },
    get standing(): ConnectionState {
      if (!isConnected) return 'connecting';
      if (reloadReason !== undefined) return 'reload-needed';
      return joined && !isBehind() ? 'live' : 'catching-up';
    },

    /** @param from the position that was sent with the handshake */
    onConnect(from: StreamPosition | undefined): void {
      isConnected = true;
      joined = false;
      joinedFrom = from;
    },
    /** Drops buffered events: they come after `position`, so the next replay contains them. */
    onDisconnect(): void {
      isConnected = joined = isUnconfirmed = false;
      buffer.drain();
      head = reached?.offset ?? 0;
    },
    onEvent(event: ReceivedEvent): void {
      const { epoch, offset } = event.meta;
      buffer.push(event);
      if (joined && reached !== undefined) {
        if (epoch !== reached.epoch) isUnconfirmed = true;
        else if (isLive(event)) head = Math.max(head, offset);
        if (!isBehind() || offset === reached.offset + 1) release(false);
        if (!isBehind()) release(true);
      }
      if (buffer.size > maxBuffered) skipGap('too-many');
    },
    /** Handles `emissions:position`. The first one of a connection is the reply to the handshake; later ones reveal gaps. */
    onPosition(position: PositionUpdate): void {
      if (reached === undefined) onReply(joinedFrom, position);
      else if (!joined) {
        // A periodic position can arrive before the reply. It is one if it claims `recovered`, although emissions were missed and
        // none was replayed.
        if (position.recovered && position.offset > reached.offset && !buffer.hasReplays) onNoReply();
        else onReply(joinedFrom, position);
      } else if (position.epoch !== reached.epoch || !position.recovered) isUnconfirmed = true;
      else head = Math.max(head, position.offset);
    },
    /** Handles the acknowledgement of a catch-up that was requested from `from`. */
    onReply,
    /** The server has not replied in time to the handshake or to a catch-up. */
    onNoReply,
    skipGap,

    /** Must be called before each request for a list, so that `applyList` can detect events shown in the meantime. */
    onListRequest(): void {
      shownSinceListRequest = false;
    },
    /** Shows a list. Returns false if the list may be older than the screen and must be loaded again. */
    applyList(list: AppointmentList): boolean {
      if (reached !== undefined && list.epoch !== reached.epoch && shownSinceListRequest) {
        reloadReason ??= 'epoch';
        isUnconfirmed = joined;
        return false;
      }
      screen.replace(list);
      reloadReason = undefined;
      if (reached?.epoch === list.epoch && list.offset >= runStart) {
        reached.offset = Math.max(reached.offset, list.offset);
        head = Math.max(head, list.offset);
      } else {
        const known = reached?.epoch === list.epoch ? head : undefined;
        startRun(list);
        if (known === undefined) isUnconfirmed = joined;
        else head = known;
      }
      if (joined) release(!isBehind());
      return true;
    },
  };
}
