import type { Id } from '@appointment-emissions/contracts';
import type { Cursor, UpdatedPage, UpdatedRow } from '../../../src/domain/updated-rows.ts';
import { runInRedis } from '../model-redis.ts';
import { scriptName } from '../redis-client.ts';
import {
  type Answer,
  type Call,
  createStops,
  describeCall,
  LOST_REPLY,
  type OpenCall,
  runCode,
  UNAVAILABLE,
} from '../run-code.ts';
import type { Model } from '../search.ts';
import {
  addFailOver,
  createSmallModel,
  type Outcome as OutcomeOf,
  spend,
  type WorldStep,
} from '../small-model.ts';
import { checkAdded, checkWatermark, isPassed, isPublished } from './invariants.ts';
import { COMPANY, orderKey, sweeperProgram, WATERMARK_KEY } from './sweeper.ts';
import {
  type Bounds,
  type Fault,
  firstWorld,
  type Job,
  published,
  type Stored,
  type Sweeper,
  type World,
} from './world.ts';

const CLOCK_JUMP_MS = 3_600_000;
/** Longer than the lease of a sweeper and the overlap of sweeps. */
const LONG_MS = 6 * 60_000;
/** The sweeps after which every write must have been announced. */
const LAST_SWEEPS = 40;
const BETWEEN_SWEEPS_MS = 20_000;

type Outcome = OutcomeOf<World>;
type Step = WorldStep<World>;

export function createSweepModel(bounds: Bounds): Model<string> {
  return createSmallModel(firstWorld(bounds), async (world) => {
    const steps = [...addWrites(world, bounds), ...addFaults(world), ...addJobs(world)];
    for (const index of world.sweepers.keys()) steps.push(...(await addCalls(world, index)));
    if (steps.some(({ isSure }) => isSure)) return steps;
    return [...(await checkEnd(world)), ...steps];
  });
}

const stopOf = createStops((sweeper: Sweeper) => sweeperProgram(sweeper));

/** A bot writes, and does not call. */
function addWrites(world: World, { skewMs, writes }: Bounds): Step[] {
  const spent = spend(world, 'writes');
  if (!spent) return [];
  const ids = Object.keys(world.rows);
  // The first write is one of the first appointment: until then they differ in their names only.
  return (world.budget.writes === writes ? ids.slice(0, 1) : ids).map((id) => {
    // Each write has its own millisecond.
    const updatedAt = world.nowMs + skewMs - (world.budget.writes ?? 0);
    const isLate = isPassed(world, id, updatedAt) || world.sweepers.some(isSweeping);
    const late = world.late.filter((other) => other !== id);
    return {
      label: `a bot writes appointment ${id.slice(-1)}`,
      isSure: false,
      world: {
        ...spent,
        rows: { ...world.rows, [id]: updatedAt },
        late: isLate ? [...late, id].sort() : late,
      },
    };
  });
}

/** True if a sweeper may be between the acquisition of the lease and the end of a sweep. */
const isSweeping = ({ answers }: Sweeper): boolean => answers.length > 0;

function addFaults(world: World): Step[] {
  const steps: Step[] = [];
  const add = (name: Fault | 'time', label: string, change: (spent: World) => World): void => {
    const spent = spend(world, name);
    if (spent) steps.push({ label, isSure: false, world: change(spent) });
  };
  const { nowMs, clockOffsetMs, keyspace, jobs, ended } = world;
  add('time', '6 minutes pass', (spent) => ({ ...spent, nowMs: nowMs + LONG_MS }));
  add('clock-ahead', 'the clock of Redis is set ahead by an hour', (spent) => {
    return { ...spent, clockOffsetMs: clockOffsetMs + CLOCK_JUMP_MS };
  });
  add('clock-back', 'the clock of Redis is set back by an hour', (spent) => {
    return { ...spent, clockOffsetMs: clockOffsetMs - CLOCK_JUMP_MS };
  });
  add('flush', 'Redis loses all keys', (spent) => ({ ...spent, keyspace: {}, jobs: [], ended: [] }));
  const stored: Stored = { keyspace, jobs, ended };
  return [...steps, ...addFailOver(world, stored)];
}

/** Workers publish what waits. */
function addJobs(world: World): Step[] {
  return world.jobs.map((job) => ({
    label: `a worker publishes appointment ${job.appointmentId.slice(-1)}`,
    isSure: true,
    world: publish(world, job),
  }));
}

function publish(world: World, job: Job): World {
  const key = orderKey(job.appointmentId);
  return {
    ...world,
    keyspace: { ...world.keyspace, [key]: published(world.rows[job.appointmentId] ?? 0) },
    jobs: world.jobs.filter(({ id }) => id !== job.id),
    ended: sorted([...world.ended, job]),
  };
}

const sorted = (jobs: readonly Job[]): Job[] => jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1));

async function addCalls(world: World, index: number): Promise<Step[]> {
  const sweeper = world.sweepers[index] as Sweeper;
  const { open } = await stopOf(sweeper);
  const [call] = open;
  if (!call) throw new Error('a sweeper waits for nothing');
  const before = isAcquisition(call) ? spend(world, 'sweeps') : world;
  if (!before) return [];
  const steps: Step[] = [];
  const name = `sweeper ${sweeper.number}`;
  const add = (label: string, { world: next, violation }: Outcome, isSure = false): void => {
    steps.push({ label: `${name} ${label}`, isSure, violation, world: next });
  };
  const label = describeCall(call);
  const done = carryOut(before, call);
  add(label, { ...done, world: await answered(done.world, index, call, done.answer) }, true);
  const isRead = call.kind === 'find' || call.kind === 'command';
  const lost = isRead ? undefined : spend(done.world, 'lost-reply');
  if (lost)
    add(`${label}, but the reply is lost`, { ...done, world: await answered(lost, index, call, LOST_REPLY) });
  const failed = spend(before, 'unavailable');
  if (failed) add(`${label}, which fails`, { world: await answered(failed, index, call, UNAVAILABLE) });
  const dead = sweeper.answers.length > 0 ? spend(world, 'crash') : undefined;
  if (dead) add('dies', { world: restarted(dead, index) });
  return steps;
}

const isAcquisition = ({ kind, args }: Call): boolean =>
  kind === 'script' && scriptName(String(args[0])) === 'acquire-lease';

function restarted(world: World, index: number): World {
  const sweepers = world.sweepers.map((one, at): Sweeper => {
    return at === index ? { ...one, number: one.number + world.sweepers.length, answers: [] } : one;
  });
  return { ...world, sweepers };
}

async function answered(world: World, index: number, call: OpenCall, answer: Answer): Promise<World> {
  const sweepers = [...world.sweepers];
  const before = sweepers[index] as Sweeper;
  const sweeper: Sweeper = { ...before, answers: [...before.answers, [call.index, answer]] };
  const [next] = (await stopOf(sweeper)).open;
  const hasEnded = next !== undefined && isAcquisition(next);
  sweepers[index] = hasEnded && !sweeper.remembers ? { ...sweeper, answers: [] } : sweeper;
  return { ...world, sweepers };
}

/** Does what a call asks for. */
function carryOut(world: World, call: Call): Outcome & { answer: Answer } {
  if (call.kind === 'find') return { world, answer: { value: findRows(world, call) } };
  if (call.kind === 'enqueue') return enqueue(world, call.args as [id: string, appointmentId: Id][]);
  const redis = { ...world, nowMs: world.nowMs + world.clockOffsetMs };
  const { keyspace, answer } = runInRedis(redis, call);
  const next = { ...world, keyspace };
  const isSaved = JSON.stringify(world.keyspace[WATERMARK_KEY]) !== JSON.stringify(keyspace[WATERMARK_KEY]);
  return { world: next, answer, violation: isSaved ? checkWatermark(next) : undefined };
}

/** A page of one row. */
function findRows({ rows }: World, { args }: Call): UpdatedPage {
  const [after, until] = args as [Cursor, number | null];
  const isAfter = (id: Id, updatedAt: number): boolean =>
    updatedAt > after.updatedAt || (updatedAt === after.updatedAt && id > after.appointmentId);
  const [first, second] = Object.entries(rows)
    .filter(([id, updatedAt]) => isAfter(id, updatedAt) && (until === null || updatedAt <= until))
    .sort(([, a], [, b]) => a - b);
  if (!first) return { rows: [], leftOut: [], next: undefined };
  const [appointmentId, updatedAt] = first;
  const row: UpdatedRow = {
    appointmentId,
    companyId: COMPANY,
    updatedAt,
    createdAt: null,
    status: null,
    isDeleted: false,
  };
  return { rows: [row], leftOut: [], next: second && { updatedAt, appointmentId } };
}

function enqueue(
  world: World,
  emissions: readonly [id: string, appointmentId: Id][],
): Outcome & { answer: Answer } {
  const added = emissions.map(([id, appointmentId]): Job => ({ id, appointmentId }));
  const violation = checkAdded(world, added);
  const known = new Set([...world.jobs, ...world.ended].map(({ id }) => id));
  const jobs = sorted([...world.jobs, ...added.filter(({ id }) => !known.has(id))]);
  return { world: { ...world, jobs }, answer: { value: null }, violation };
}

/** Nothing happens by itself: either sweeper, if it goes on alone, must announce every write. */
async function checkEnd(world: World): Promise<Step[]> {
  const isDone = (now: World): boolean => Object.keys(now.rows).every((id) => isPublished(now, id));
  if (isDone(world)) return [];
  for (const sweeper of world.sweepers) {
    const end = await sweepOn(world, sweeper, isDone);
    if (isDone(end.world) && end.violation === undefined) continue;
    const violation = end.violation ?? 'a write is never announced';
    return [{ label: `sweeper ${sweeper.number} goes on alone`, isSure: true, violation, world }];
  }
  return [];
}

/** One sweeper goes on alone, until all is done or it has swept many times. */
async function sweepOn(world: World, sweeper: Sweeper, isDone: (now: World) => boolean): Promise<Outcome> {
  let now: World = world;
  let sweeps = 0;
  let violation: string | undefined;
  await runCode(sweeperProgram(sweeper), sweeper, ([call]) => {
    if (!call || violation !== undefined) return undefined;
    if (isAcquisition(call)) {
      now = { ...now, nowMs: now.nowMs + BETWEEN_SWEEPS_MS };
      for (const job of now.jobs) now = publish(now, job);
      sweeps += 1;
      if (sweeps > LAST_SWEEPS || isDone(now)) return undefined;
    }
    const done = carryOut(now, call);
    ({ world: now, violation } = done);
    return [call.index, done.answer];
  });
  return { world: now, violation };
}
