import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import type { RedisClient } from '../../src/redis/connect.ts';
import { createModelClient, scriptName } from './redis-client.ts';

/** What code asks of its surroundings: a script or command of Redis, a read, the end of a timer. */
export interface Call {
  kind: string;
  args: readonly unknown[];
}

/** A call without an answer. */
export interface OpenCall extends Call {
  /** Number of the call, from the start of the process. */
  index: number;
}

/** An error is the code's own class of error, made by the program. */
export type Answer = { value: unknown } | { error: string };

/** A server is away: it has done nothing. */
export const UNAVAILABLE: Answer = { error: 'Connection is closed.' };
/** A server has done what it was asked, perhaps, but its reply is lost. */
export const LOST_REPLY: Answer = { error: 'Command timed out' };

/** Code of the project. Its calls are answered one by one, in any order. */
export type Program = (ask: (kind: string, ...args: unknown[]) => Promise<unknown>) => Promise<unknown>;

/**
 * The state of a process: the answers that it got since its start. Its code is deterministic, so running it again with these
 * answers leads to the same state.
 */
export interface SavedProcess {
  /** Random ids of processes with different numbers differ. */
  number: number;
  answers: readonly (readonly [call: number, answer: Answer])[];
}

/** Where a process is: what it waits for, and its result if it has ended. Calls in the background can outlast it. */
export interface Stop {
  open: readonly OpenCall[];
  result?: unknown;
}

interface MadeCall extends OpenCall {
  isOpen: boolean;
  settle: (answer: Answer) => void;
}

interface CurrentRun {
  number: number;
  /** Milliseconds, advanced by the timers that have ended. */
  clock: number;
  randomIds: number;
  calls: MadeCall[];
}

/** The run whose code is executed now: time and random ids are its own. */
let current: CurrentRun | undefined;

/** The next answer to a process that runs on; undefined if it ends here. */
export type Respond = (open: readonly OpenCall[]) => SavedProcess['answers'][number] | undefined;

/** Runs a program from its start with the answers that it has got, and then with those that `respond` gives. */
export async function runCode(
  program: Program,
  { number, answers }: SavedProcess,
  respond: Respond = () => undefined,
): Promise<Stop> {
  replaceTimeAndChance();
  const run: CurrentRun = { number, clock: 0, randomIds: 0, calls: [] };
  const stop: { result?: unknown } = {};
  current = run;
  try {
    const ask = (kind: string, ...args: unknown[]) => askIn(run, kind, args);
    void program(ask).then((result) => (stop.result = result));
    await quiet(run);
    for (const answer of answers) await give(run, answer);
    for (let next = respond(openCalls(run)); next; next = respond(openCalls(run))) await give(run, next);
  } finally {
    current = undefined;
  }
  return { ...stop, open: openCalls(run) };
}

function openCalls({ calls }: CurrentRun): OpenCall[] {
  return calls.filter(({ isOpen }) => isOpen).map(({ kind, args, index }) => ({ kind, args, index }));
}

async function give(run: CurrentRun, [index, answer]: SavedProcess['answers'][number]): Promise<void> {
  const call = run.calls[index];
  if (!call?.isOpen) throw new Error(`the process has no open call ${index}`);
  call.isOpen = false;
  if (call.kind === 'timer') run.clock += Number(call.args[0]);
  call.settle(answer);
  await quiet(run);
}

function askIn({ calls }: CurrentRun, kind: string, args: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    addCall(calls, { kind, args }, (answer) => {
      if ('error' in answer) reject(new Error(answer.error));
      else resolve(answer.value);
    });
  });
}

function addCall(calls: MadeCall[], { kind, args }: Call, settle: MadeCall['settle']): MadeCall {
  const made = { kind, args, index: calls.length, isOpen: true, settle };
  calls.push(made);
  return made;
}

/** Resolves when the code waits for answers only. */
async function quiet(run: CurrentRun): Promise<void> {
  for (let quietTurns = 0, seen = -1; quietTurns < 4; quietTurns += 1) {
    await timers.setImmediate();
    if (run.calls.length !== seen) quietTurns = 0;
    seen = run.calls.length;
  }
}

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  now: performance.now.bind(performance),
  randomUUID: crypto.randomUUID.bind(crypto),
  pause: timers.setTimeout,
};
let isReplaced = false;

/** Timers become calls, clocks and random ids become deterministic, for the code of a run. */
function replaceTimeAndChance(): void {
  if (isReplaced) return;
  isReplaced = true;
  Object.assign(globalThis, {
    setTimeout: (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const end = (): void => {
        run(...args);
      };
      return current ? startTimer(current, ms ?? 0, end) : real.setTimeout(end, ms);
    },
    clearTimeout: (timer: NodeJS.Timeout | MadeCall | undefined) => {
      if (timer && 'settle' in timer) timer.isOpen = false;
      else real.clearTimeout(timer);
    },
    // It never ends: what code repeats in the background is no step of a model.
    setInterval: (run: () => void, ms?: number) => (current ? undefined : real.setInterval(run, ms)),
  });
  performance.now = () => (current ? current.clock : real.now());
  crypto.randomUUID = () => (current ? nextUuid(current) : real.randomUUID());
  timers.setTimeout = ((ms: number, value: unknown, options?: { signal?: AbortSignal }) =>
    current ? pauseIn(current, ms, value) : real.pause(ms, value, options)) as typeof timers.setTimeout;
  syncBuiltinESMExports();
}

function startTimer({ calls }: CurrentRun, ms: number, run: () => void): MadeCall {
  return addCall(calls, { kind: 'timer', args: [ms] }, run);
}

function pauseIn(run: CurrentRun, ms: number, value: unknown): Promise<unknown> {
  return new Promise((resolve) => {
    startTimer(run, ms, () => {
      resolve(value);
    });
  });
}

function nextUuid(run: CurrentRun): ReturnType<typeof crypto.randomUUID> {
  run.randomIds += 1;
  const digits = (value: number, length: number) => value.toString(16).padStart(length, '0');
  return `${digits(run.number, 8)}-0000-0000-0000-${digits(run.randomIds, 12)}`;
}

const RANDOM_ID = /^(?!ID\d{14}$)[\w-]{16}$/;

/** Where processes are, kept since many states have the same process. @param programOf  what a process runs */
export function createStops<P extends SavedProcess>(
  programOf: (process: P) => Program,
): (process: P) => Promise<Stop> {
  const stops = new Map<string, Stop>();
  return async (process) => {
    const key = JSON.stringify(process);
    const stop = stops.get(key) ?? (await runCode(programOf(process), process));
    stops.set(key, stop);
    return stop;
  };
}

/** A client of Redis for a program. The n-th random id that the process sends is called `ID…`, after its number and n. */
export function redisOf(ask: Parameters<Program>[0], number: number): RedisClient {
  const names = new Map<string, string>();
  const nameOf = (id: string): string => {
    const name = names.get(id) ?? `ID${String(number * 1_000 + names.size).padStart(14, '0')}`;
    names.set(id, name);
    return name;
  };
  const toText = (value: unknown): string => {
    const text = Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
    return RANDOM_ID.test(text) ? nameOf(text) : text;
  };
  return createModelClient(
    ({ digest, keys, args }) => ask('script', digest, keys.map(toText), args.map(toText)),
    (name, args) => ask('command', name, args.map(toText)),
  );
}

/** What a call does, in words. */
export function describeCall({ kind, args }: Call): string {
  if (kind === 'script') return `runs ${scriptName(String(args[0]))}`;
  if (kind === 'command') return `runs ${String(args[0])}`;
  if (kind === 'timer') return `has waited ${String(args[0])} ms`;
  return kind;
}
