import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRests, createRounds } from './rounds.ts';

const SLICE_MS = 2;
/** How long the event loop accepts waiting connections between two slices: pieces keep a tenth of its time. */
const ACCEPT_MS = 10 * SLICE_MS;
/** A piece that seems to take longer had to wait for a CPU. */
const MAX_PIECE_MS = 4;
/** A whole connection takes about this many times as long as its handshake piece, the smallest part of its work. */
const CONNECTION_PIECES = 5;
/** A list of 5,000 appointments has 50 pieces, and rests after each. */
const MAX_REST_MS = 50;
/** A piece that has waited for this time no longer rests: the server closes a connection whose handshake takes 10 s. */
const MAX_WAIT_FOR_RESTS_MS = 4_000;

/**
 * Pieces of one kind and company keep their order. The kinds of a company take turns like companies: a list of 5,000 appointments has
 * 50 pieces, and each would wait for the handshakes of a crowd.
 *
 * - `message`: writes events, positions or replays. It never rests, since a rest would delay live events. Its rest is added to the one
 *   after the company's next handshake or list piece.
 * - `address`: a handshake whose company is not known yet. It never rests, and counts for no company.
 */
export type PieceKind = 'message' | 'handshake' | 'list' | 'address';

export interface Piece {
  kind: PieceKind;
  /** A company, or the address of a handshake. */
  from: string;
  run: () => void;
}

interface WaitingPiece extends Piece {
  addedAt: number;
}

interface PieceTurnsDeps {
  now: () => number;
  /** Counts a piece that has run in the share of its company. */
  onUsed: (companyId: string, tookMs: number) => void;
  /** How long the company rests after a piece, in ms. */
  restMsOf: (companyId: string, tookMs: number) => number;
}

const nextTick = (): Promise<void> =>
  new Promise((resolve) => {
    process.nextTick(resolve);
  });
const keyOf = ({ kind, from }: Pick<Piece, 'kind' | 'from'>): string => `${kind} ${from}`;

/** Runs a piece, and counts it for its company. */
function createRunOne(
  { now, onUsed, restMsOf }: PieceTurnsDeps,
  rests: ReturnType<typeof createRests>,
): (piece: Piece) => void {
  return ({ kind, from, run }) => {
    const startedAt = now();
    run();
    if (kind === 'address') return;
    // Socket.IO connects a socket in the next tick: that is part of the piece.
    process.nextTick(() => {
      const tookMs = Math.min(now() - startedAt, MAX_PIECE_MS);
      const usedMs = kind === 'handshake' ? CONNECTION_PIECES * tookMs : tookMs;
      onUsed(from, usedMs);
      const restMs = restMsOf(from, usedMs);
      if (kind === 'message') rests.owe(from, restMs);
      else rests.add(from, restMs);
    });
  };
}

/**
 * The turns of the event loop between two slices. Node accepts one connection in each turn, in the order in which they arrived. With
 * one turn between two slices, a connection behind 200 of a crowd would wait for 200 slices before it can take turns.
 */
function createTurnsBetween(now: () => number) {
  let connections = 0;
  return {
    /** To be called for each connection that the server accepts. */
    accepted: (): void => {
      connections += 1;
    },
    async pass(): Promise<void> {
      const startedAt = now();
      let before: number;
      do {
        before = connections;
        await nextTurn();
      } while (connections > before && now() - startedAt < ACCEPT_MS);
    },
  };
}

/** Runs pieces, kinds and companies in turn. */
export function createPieceTurns(deps: PieceTurnsDeps) {
  const { now } = deps;
  const waiting = createRounds<WaitingPiece>();
  const rests = createRests(now, MAX_REST_MS);
  const runOne = createRunOne(deps, rests);
  const turnsBetween = createTurnsBetween(now);
  let isRunning = false;
  /** While all companies with pieces rest. */
  const sleep = createSleep();

  const isResting = ({ kind, from }: Piece): boolean =>
    kind !== 'message' && kind !== 'address' && rests.has(from);
  const isReady = (_key: string, piece: WaitingPiece): boolean =>
    !isResting(piece) || now() - piece.addedAt >= MAX_WAIT_FOR_RESTS_MS;

  /** Resolves to false if all that wait rest. */
  async function runSlice(): Promise<boolean> {
    const startedAt = now();
    let ran = false;
    for (let next = waiting.next(isReady); next; next = waiting.next(isReady)) {
      ran = true;
      runOne(next[1]);
      await nextTick();
      if (now() - startedAt >= SLICE_MS) break;
    }
    return ran;
  }

  async function runAll(): Promise<void> {
    isRunning = true;
    do {
      await turnsBetween.pass();
      if ((await runSlice()) || waiting.isEmpty()) continue;
      await sleep.start(rests.untilNextEnd());
    } while (!waiting.isEmpty());
    isRunning = false;
  }

  return {
    accepted: turnsBetween.accepted,
    run(piece: Piece): void {
      const key = keyOf(piece);
      const isNext = !isRunning || sleep.isAsleep();
      if (!isNext || waiting.count(key) > 0 || isResting(piece))
        waiting.add(key, { ...piece, addedAt: now() });
      else {
        runOne(piece);
        sleep.end();
      }
      if (!isRunning) void runAll();
    },
    /** Runs the oldest waiting piece of a kind and company now, before its turn. @returns false if none waits */
    runNext(kind: PieceKind, from: string): boolean {
      const key = keyOf({ kind, from });
      const next = waiting.next((other) => other === key);
      if (next) runOne(next[1]);
      return next !== undefined;
    },
  };
}

/** A sleep that can be ended. */
function createSleep() {
  let end: (() => void) | undefined;
  return {
    isAsleep: () => end !== undefined,
    end: () => end?.(),
    start: (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(() => end?.(), ms);
        end = () => {
          clearTimeout(timer);
          end = undefined;
          resolve();
        };
      }),
  };
}
