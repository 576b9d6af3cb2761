import type { AppointmentList, Place, Position, ReloadReason } from '@appointment-emissions/contracts';
import { createHeld, isLive, type Arrival } from './reorder-buffer.ts';
import type { Screen } from './screen.ts';

/** Where a dashboard stands with its company's log. */
export type Standing = 'connecting' | 'catching-up' | 'reload-needed' | 'live';

export interface SequenceOptions {
  screen: Screen;
  /** Called for each snapshot that took its place on the screen. */
  onShown: (arrival: Arrival) => void;
  /** Events held at most while something is missing; with more the list has to be reloaded. */
  heldMax?: number;
}

export type Sequence = ReturnType<typeof createSequence>;

/** Faults of the moment: ask again, the list would fare no better. */
function isTemporary(reason: ReloadReason | undefined): boolean {
  return reason === 'unavailable' || reason === 'rate-limited';
}

/**
 * The part of the library that decides and does nothing: which events to hold, which to show, when to ask the server
 * for a catch-up, and when only a list helps.
 *
 * All entries in `(since, place.offset]` of the company's log have been seen: that is the run. The screen is complete
 * when its list reaches to the beginning of the run; where it does not, `missing` says why.
 */
export function createSequence({ screen, onShown, heldMax = 10_000 }: SequenceOptions) {
  const held = createHeld();
  let connected = false;
  /** False from the beginning of a connection until the server has told our place: all events are held. */
  let joined = false;
  let joinedFrom: Place | undefined;
  let place: Place | undefined;
  let since = 0;
  /** The highest offset known to exist in the place's epoch. */
  let head = 0;
  /** Only the server can say whether our place still holds. */
  let doubt = false;
  let missing: ReloadReason | undefined;
  let shownSinceRequest = false;

  const isBehind = () => joined && place !== undefined && (doubt || head > place.offset);

  function startRun({ epoch, offset }: Place): void {
    place = { epoch, offset };
    since = head = offset;
  }

  function show(arrival: Arrival): void {
    const { epoch, offset, read } = arrival.meta;
    if (!screen.show({ appointment: arrival.payload.appointment, epoch, offset, read })) return;
    shownSinceRequest = true;
    onShown(arrival);
  }

  /** Shows what is held up to the first gap. `settled`: replays and what belongs to no gap have all come. */
  function release(settled: boolean): void {
    if (place === undefined) return;
    for (const arrival of held.take()) {
      const { epoch, offset } = arrival.meta;
      if (epoch !== place.epoch) {
        if (!settled) held.put(arrival);
      } else if (isLive(arrival) ? offset > place.offset + 1 : !settled) {
        held.put(arrival);
      } else {
        if (isLive(arrival)) place.offset = Math.max(place.offset, offset);
        show(arrival);
      }
    }
  }

  /** Gives up what lies in the gap: shows all that is held and goes on behind it. */
  function skip(reason: ReloadReason): void {
    missing = reason;
    if (place === undefined) {
      held.take();
      return;
    }
    startRun({ epoch: place.epoch, offset: Math.max(place.offset, head, held.highest(place.epoch)) });
    doubt = false;
    release(true);
  }

  function unanswered(): void {
    if (!connected || place === undefined) return; // There is nothing to ask for: the next position is as good a beginning.
    joined = true;
    doubt = true;
  }

  function answered(from: Place | undefined, position: Position): void {
    if (!position.recovered && isTemporary(position.reason)) {
      unanswered();
      return;
    }
    joined = true;
    if (place !== undefined && (from?.epoch !== place.epoch || from.offset > place.offset)) {
      doubt = true; // A list has moved our place since we asked.
      return;
    }
    doubt = false;
    if (place?.epoch === position.epoch) {
      place.offset = Math.max(place.offset, position.offset);
      if (!position.recovered) since = place.offset;
    } else {
      if (place !== undefined) missing = 'epoch';
      startRun(position);
    }
    if (!position.recovered) missing = position.reason ?? 'gone';
    const { epoch, offset } = place ?? position;
    head = Math.max(head, offset, held.highest(epoch));
    release(true);
  }

  return {
    get place(): Readonly<Place> | undefined {
      return place;
    },
    /** Why the list must be reloaded, while it must. */
    get missing() {
      return missing;
    },
    /** True while the server must be asked for a catch-up from `place`. */
    get behind() {
      return isBehind();
    },
    /** Whether the server has told our place since this connection began. */
    get joined() {
      return joined;
    },
    get standing(): Standing {
      if (!connected) return 'connecting';
      if (missing !== undefined) return 'reload-needed';
      return joined && !isBehind() ? 'live' : 'catching-up';
    },

    /** @param from the place that the server was given with the handshake */
    connected(from: Place | undefined): void {
      connected = true;
      joined = false;
      joinedFrom = from;
    },
    /** What is held lies above our place: the next replay brings it again. */
    disconnected(): void {
      connected = joined = doubt = false;
      held.take();
      head = place?.offset ?? 0;
    },
    arrived(arrival: Arrival): void {
      const { epoch, offset } = arrival.meta;
      held.put(arrival);
      if (joined && place !== undefined) {
        if (epoch !== place.epoch) doubt = true;
        else if (isLive(arrival)) head = Math.max(head, offset);
        if (!isBehind() || offset === place.offset + 1) release(false);
        if (!isBehind()) release(true);
      }
      if (held.size > heldMax) skip('too-many');
    },
    /** `emissions:position`: the answer to our joining; afterwards it only raises questions. */
    positioned(position: Position): void {
      if (place === undefined) answered(joinedFrom, position);
      else if (!joined) {
        // A pulse may come before the answer. Who claims that we missed something, and replays nothing, is one.
        if (position.recovered && position.offset > place.offset && !held.hasReplays) unanswered();
        else answered(joinedFrom, position);
      } else if (position.epoch !== place.epoch || !position.recovered) doubt = true;
      else head = Math.max(head, position.offset);
    },
    /** The acknowledgement of a catch-up asked from `from`. */
    answered,
    /** The server did not answer in time, or has long been silent. */
    unanswered,
    skip,

    /** Call it when a list is asked for, so that `listed` can judge what happened meanwhile. */
    requested(): void {
      shownSinceRequest = false;
    },
    /** Takes the list up; false where it may be older than what is shown, and must be loaded again. */
    listed(list: AppointmentList): boolean {
      if (place !== undefined && list.epoch !== place.epoch && shownSinceRequest) {
        missing ??= 'epoch';
        doubt = joined;
        return false;
      }
      screen.replace(list);
      missing = undefined;
      if (place?.epoch === list.epoch && list.offset >= since) {
        place.offset = Math.max(place.offset, list.offset);
        head = Math.max(head, list.offset);
      } else {
        const known = place?.epoch === list.epoch ? head : undefined;
        startRun(list);
        if (known === undefined) doubt = joined;
        else head = known;
      }
      if (joined) release(!isBehind());
      return true;
    },
  };
}
