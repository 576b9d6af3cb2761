import type { Arena, ArenaDeps } from '../chaos/arena.ts';
import type { Answer } from '../chaos/shop.ts';

/** What a scenario works on. */
export interface Stage {
  arena: Arena;
  /** Of calls that a scenario makes itself, beside the bots'. */
  onAnswer: (answer: Answer) => void;
  burstSeconds: number;
}

/** One row of the fault table: how a fault is provoked and mended, and what may be seen meanwhile. */
export interface Scenario {
  /** The row's name. */
  fault: string;
  /** What bots may be answered besides `202`, with status and code. */
  answers: readonly string[];
  /** One of them that must be seen before the fault is mended: else it was none. */
  provokes?: string;
  /** What dashboards and operators see meanwhile, in words. */
  seen: string;
  /** How long it lasts, at least. */
  lastsMs?: number;
  /** Longest recovery that passes. */
  recoversWithinMs?: number;
  /** How many of each process there are. */
  processes?: number;
  appointments?: number;
  arena?: () => Promise<Pick<ArenaDeps, 'env' | 'ways' | 'seats'>>;
  /** Provokes the fault; resolves to what mends it. */
  inflict: (stage: Stage) => Promise<() => Promise<void> | void>;
  /** When what the fault held up is through; then that is the recovery, counted from the fault. */
  released?: (arena: Arena) => Promise<unknown>;
  /** Clears up what `arena` made. */
  clean?: () => Promise<void> | void;
}

export const REDIS_AWAY = '503 QUEUE_UNAVAILABLE';
export const MONGO_AWAY = '500 DATABASE_ERROR';

/** Ends all processes of ours at once; resolves when each was started again. */
export async function restartAll({ fleet }: Arena): Promise<void> {
  await Promise.all(
    [...fleet.gateways, ...fleet.workers].map(async (slot) => {
      const { process } = slot;
      process?.kill('SIGKILL');
      await process?.exited;
      await slot.ready();
    }),
  );
}
