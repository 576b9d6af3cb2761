import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRests, createRounds } from './rounds.ts';

const SLICE_MS = 2;
/** A piece that seems to take longer had to wait for a CPU. */
const MAX_PIECE_MS = 4;

export interface Piece {
  run: () => void;
  /** How long the company rests after the piece, in ms. Absent if it does not rest. */
  restMsAfter?: ((from: string, tookMs: number) => number) | undefined;
}

const nextTick = (): Promise<void> =>
  new Promise((resolve) => {
    process.nextTick(resolve);
  });

/** Runs pieces, companies in turn. */
export function createPieceTurns(now: () => number) {
  const waiting = createRounds<Piece>();
  const rests = createRests(now);
  let isRunning = false;
  /** While all companies with pieces rest. */
  const sleep = createSleep();

  function runOne(from: string, { run, restMsAfter }: Piece): void {
    const startedAt = now();
    run();
    // Socket.IO connects a socket in the next tick: that is part of the piece.
    if (restMsAfter)
      process.nextTick(() => {
        rests.add(from, restMsAfter(from, Math.min(now() - startedAt, MAX_PIECE_MS)));
      });
  }

  /** Resolves to false if all that wait rest. */
  async function runSlice(): Promise<boolean> {
    const startedAt = now();
    let ran = false;
    const isReady = (from: string): boolean => !rests.has(from);
    for (let next = waiting.next(isReady); next; next = waiting.next(isReady)) {
      ran = true;
      runOne(...next);
      await nextTick();
      if (now() - startedAt >= SLICE_MS) break;
    }
    return ran;
  }

  async function runAll(): Promise<void> {
    do {
      await nextTurn();
      if ((await runSlice()) || waiting.isEmpty()) continue;
      await sleep.start(rests.untilNextEnd());
    } while (!waiting.isEmpty());
    isRunning = false;
  }

  return {
    run(from: string, piece: Piece): void {
      const isNext = !isRunning || sleep.isAsleep();
      if (!isNext || waiting.count(from) > 0 || rests.has(from)) waiting.add(from, piece);
      else {
        runOne(from, piece);
        sleep.end();
      }
      if (isRunning) return;
      isRunning = true;
      void runAll();
    },
    runNext: (from: string): boolean => {
      const next = waiting.next((other) => other === from);
      if (next) runOne(...next);
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
