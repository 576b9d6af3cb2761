import { APPOINTMENT_DELETED, APPOINTMENT_UPDATED, type Id } from '@appointment-emissions/contracts';
import { runInRedis } from '../model-redis.ts';
import { decodeMessage, type JobOutcome } from '../order/programs.ts';
import type { PublishedMessage } from '../redis-stand-in.ts';
import {
  type Answer,
  type Call,
  createStops,
  describeCall,
  LOST_REPLY,
  type OpenCall,
  type SavedProcess,
  UNAVAILABLE,
} from '../run-code.ts';
import type { Model } from '../search.ts';
import {
  addFailOver,
  createSmallModel,
  type Outcome as OutcomeOf,
  spend,
  without,
  type WorldStep,
} from '../small-model.ts';
import {
  captureProgram,
  COMPANY,
  type Job,
  LOCK_KEY,
  ownerName,
  type StreamAnswer,
  TIMERS_MS,
  workerProgram,
} from './programs.ts';
import {
  type Bounds,
  type Capture,
  type Document,
  emptyWorld,
  type Fault,
  FIRST_CONTENT,
  type Stored,
  UPDATED_AT,
  type Worker,
  type World,
} from './world.ts';

const NOW_MS = 1_000_000;

type Outcome = OutcomeOf<World>;
type Step = WorldStep<World>;

export async function createCaptureModel(bounds: Bounds): Promise<Model<string>> {
  return createSmallModel(await firstWorld(bounds), async (world) => {
    const reports = await restartReports(world);
    if (reports.length > 0) return reports;
    const steps = [...addWrites(world, bounds), ...addFaults(world), ...(await addTakes(world))];
    for (const index of world.captures.keys()) steps.push(...(await addCaptureCalls(world, index)));
    for (const index of world.workers.keys()) steps.push(...(await addWorkerCalls(world, index)));
    if (steps.some(({ isSure }) => isSure)) return steps;
    return [...checkRest(world), ...steps];
  });
}

/** The first process follows the stream; the second one waits. */
async function firstWorld(bounds: Bounds): Promise<World> {
  let world = emptyWorld(bounds);
  for (;;) {
    const calls = await answerable(world, 0);
    const [call] = calls.filter(({ kind }) => kind !== 'timer');
    if (!call) return { ...world, hasRestarted: false };
    ({ world } = await carryOutForCapture(world, 0, call));
  }
}

const stopOfCapture = createStops(({ number }: SavedProcess) => captureProgram(number));
const stopOfWorker = createStops(({ job, number }: Worker) => workerProgram(job, number));

const nameOf = (id: Id): string => `appointment ${id.slice(-1)}`;

/** A bot writes or deletes, and calls or not. */
function addWrites(world: World, { writes }: Bounds): Step[] {
  const steps: Step[] = [];
  const add = (spent: World, id: Id, written: Partial<Document>, label: string): void => {
    const before = world.documents[id] as Document;
    const isDeletion = written.isDeleted === true;
    const event = isDeletion ? APPOINTMENT_DELETED : APPOINTMENT_UPDATED;
    const document: Document = { ...before, ...written, version: before.version + 1 };
    const next: World = {
      ...spent,
      documents: { ...world.documents, [id]: document },
      changes: [...world.changes, { appointmentId: id, isDeletion }],
    };
    const job: Job = { id: `call-${world.changes.length}`, event, appointmentId: id };
    const calls = callsOf(world, isDeletion ? undefined : writes);
    if (calls.includes('no'))
      steps.push({ label: `a bot ${label} and does not call`, isSure: false, world: next });
    if (calls.includes('yes'))
      steps.push({ label: `a bot ${label} and calls`, isSure: false, world: withJobs(next, [job]) });
  };
  const written = spend(world, 'writes');
  const deleted = spend(world, 'deletion');
  for (const [id, document] of Object.entries(world.documents)) {
    if (document.isDeleted) continue;
    const isBack = writes === 'changed back' && document.content !== FIRST_CONTENT;
    const content = isBack ? FIRST_CONTENT : String(document.version);
    if (written) add(written, id, { content }, `writes ${nameOf(id)}${isBack ? ' as it was at first' : ''}`);
    if (deleted) add(deleted, id, { isDeleted: true }, `deletes ${nameOf(id)}`);
  }
  return steps;
}

/** Whether the bot may call after a write. */
function callsOf({ budget }: World, writes: Bounds['writes'] | undefined): readonly ('yes' | 'no')[] {
  if (writes !== 'changed back') return ['yes', 'no'];
  return budget.writes === 2 ? ['yes'] : ['no'];
}

function waiting(world: World, added: readonly Job[]): World {
  return { ...world, jobs: [...world.jobs, ...added].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** Adds jobs whose ids the queue does not know. */
function withJobs(world: World, added: readonly Job[]): World {
  const fresh = added.filter(({ id }) => !world.known.includes(id));
  return { ...waiting(world, fresh), known: [...world.known, ...fresh.map(({ id }) => id)].sort() };
}

function addFaults(world: World): Step[] {
  const steps: Step[] = [];
  const add = (name: Fault, label: string, change: (spent: World) => World): void => {
    const spent = spend(world, name);
    if (spent) steps.push({ label, isSure: false, world: change(spent) });
  };
  const { keyspace, jobs, known, changes, oldestChange, captures } = world;
  const lock = keyspace[LOCK_KEY];
  if (lock) {
    const left = without(keyspace, LOCK_KEY);
    const isOfDead = 'string' in lock && !captures.some(({ number }) => lock.string === ownerName(number));
    if (isOfDead)
      steps.push({
        label: 'the lease of a dead process expires',
        isSure: true,
        world: { ...world, keyspace: left },
      });
    else add('lease-expiry', 'the lease of the owner expires', (spent) => ({ ...spent, keyspace: left }));
  }
  if (changes.length > oldestChange)
    add('lost-history', 'MongoDB forgets all changes', (spent) => ({
      ...spent,
      oldestChange: changes.length,
    }));
  add('flush', 'Redis loses all keys', (spent) => ({ ...spent, keyspace: {}, jobs: [], known: [] }));
  const stored: Stored = { keyspace, jobs, known };
  const failOver = addFailOver(world, stored).map((step) =>
    step.world.history === world.history ? step : { ...step, world: withRenewalsDue(step.world) },
  );
  return [...steps, ...failOver];
}

/** Owners renew for ever. After a fail-over the next renewal has an effect, so it is certain; the others are limited. */
function withRenewalsDue(world: World): World {
  const captures = world.captures.map((capture): Capture => {
    return capture.answers.length > 0 ? { ...capture, isRenewalDue: true } : capture;
  });
  return { ...world, captures };
}

function addTakes(world: World): Promise<Step[]> {
  const index = world.workers.indexOf(null);
  if (index < 0) return Promise.resolve([]);
  const steps = world.jobs.map(async (job): Promise<Step> => {
    const worker: Worker = { job, number: world.nextNumber, answers: [] };
    const taken: World = {
      ...world,
      jobs: world.jobs.filter((other) => other !== job),
      workers: world.workers.map((one, at) => (at === index ? worker : one)),
      nextNumber: world.nextNumber + 1,
    };
    // It runs its first script in the same step: others see no difference before.
    const { world: next, label } = await workerCall(taken, index, worker);
    return {
      label: `worker ${index + 1} takes the job of ${nameOf(job.appointmentId)} and ${label}`,
      isSure: true,
      world: next,
    };
  });
  return Promise.all(steps);
}

/** A report is made at once. */
async function restartReports(world: World): Promise<Step[]> {
  for (const [index, capture] of world.captures.entries()) {
    const { open } = await stopOfCapture(capture);
    const report = open.find(({ kind }) => kind === 'restarted');
    if (!report) continue;
    const label = `capture ${index + 1} reports that its stream begins now`;
    return [{ label, isSure: true, world: (await carryOutForCapture(world, index, report)).world }];
  }
  return [];
}

/** The calls of a process that captures, as far as they can be answered. Redis answers in the order of the calls. */
async function answerable(world: World, index: number): Promise<OpenCall[]> {
  const { open } = await stopOfCapture(world.captures[index]!);
  const closed = open.filter(({ kind }) => kind === 'closed').map(({ args }) => args[0]);
  const [firstOfRedis] = open.filter(({ kind }) => kind === 'script' || kind === 'command');
  return open.filter((call) => {
    if (call === firstOfRedis) return !isAcquisition(call) || mayAcquire(world, index);
    if (call.kind === 'next') return !closed.includes(call.args[0]) && hasNext(world, call);
    return ['open', 'load', 'enqueue', 'timer', 'restarted'].includes(call.kind);
  });
}

const isAcquisition = ({ kind, args }: Call): boolean =>
  kind === 'script' && (args[1] as string[])[0] === LOCK_KEY && (args[1] as string[]).length === 1;

/** Without it nothing happens: the process waits and tries again. */
function mayAcquire({ keyspace, captures }: World, index: number): boolean {
  const lock = keyspace[LOCK_KEY];
  return !lock || ('string' in lock && lock.string === ownerName(captures[index]!.number));
}

function hasNext({ changes, oldestChange }: World, { args }: Call): boolean {
  const from = Number(args[1]);
  return from < oldestChange || from < changes.length;
}

async function addCaptureCalls(world: World, index: number): Promise<Step[]> {
  const steps: Step[] = [];
  const name = `capture ${index + 1}`;
  const add = (label: string, { world: next, violation }: Outcome, isSure = false): void => {
    steps.push({ label: `${name} ${label}`, isSure, violation, world: next });
  };
  for (const call of await answerable(world, index)) {
    const label = describeCall(call);
    const isRenewal = call.kind === 'timer' && call.args[0] === TIMERS_MS.renewal;
    const isSure = !isRenewal || world.captures[index]!.isRenewalDue === true;
    const before = isSure ? world : spend(world, 'renewal');
    if (before) {
      const due = isRenewal
        ? withCapture(before, index, without(before.captures[index]!, 'isRenewalDue'))
        : before;
      add(label, await carryOutForCapture(due, index, call), isSure);
    }
    if (call.kind === 'timer' || call.kind === 'next') continue;
    const lost = call.kind === 'script' || call.kind === 'enqueue' ? spend(world, 'lost-reply') : undefined;
    if (lost) add(`${label}, but the reply is lost`, await carryOutForCapture(lost, index, call, LOST_REPLY));
    const failed = spend(world, 'unavailable');
    if (failed) add(`${label}, which fails`, { world: await answered(failed, index, call, UNAVAILABLE) });
  }
  const dead = world.captures[index]!.answers.length > 0 ? spend(world, 'crash') : undefined;
  if (dead) add('dies', { world: withCapture(dead, index, { number: world.nextNumber, answers: [] }, 1) });
  return steps;
}

function withCapture(world: World, index: number, capture: Capture, created = 0): World {
  const captures = world.captures.map((one, at) => (at === index ? capture : one));
  return { ...world, captures, nextNumber: world.nextNumber + created };
}

async function carryOutForCapture(
  world: World,
  index: number,
  call: OpenCall,
  instead?: Answer,
): Promise<Outcome> {
  const { world: next, answer, violation } = execute(world, call);
  return { world: await answered(next, index, call, instead ?? answer), violation };
}

async function answered(world: World, index: number, call: OpenCall, answer: Answer): Promise<World> {
  const before = world.captures[index]!;
  const capture = { ...before, answers: [...before.answers, [call.index, answer] as const] };
  const { open } = await stopOfCapture(capture);
  const isWaiting = open.some(({ kind, args }) => kind === 'timer' && args[0] === TIMERS_MS.retry);
  const isReporting = open.some(({ kind }) => kind === 'restarted');
  // A process without the lease has no memory: it is as after its start.
  return withCapture(
    world,
    index,
    isWaiting && !isReporting ? { number: before.number, answers: [] } : capture,
  );
}

/** Does what a call asks for. */
function execute(world: World, call: Call): Outcome & { answer: Answer } {
  switch (call.kind) {
    case 'timer':
      return { world, answer: { value: null } };
    case 'restarted':
      return { world: { ...world, hasRestarted: true }, answer: { value: null } };
    case 'load':
      return { world, answer: { value: load(world, call.args[0] as Id[]) } };
    case 'enqueue':
      return { world: withJobs(world, call.args as Job[]), answer: { value: null } };
    case 'open':
    case 'next':
      return { world, answer: { value: readStream(world, call) } };
    default: {
      const { keyspace, answer, published } = runInRedis({ ...world, nowMs: NOW_MS }, call);
      return { ...show({ ...world, keyspace }, published), answer };
    }
  }
}

function load({ documents }: World, ids: readonly Id[]): [Id, object][] {
  return ids.flatMap((id): [Id, object][] => {
    const document = documents[id];
    if (!document || document.isDeleted) return [];
    const notes = `${document.content} ${document.version}`;
    return [[id, { _id: id, companyId: COMPANY, notes, status: null, updatedAt: UPDATED_AT }]];
  });
}

function readStream({ changes, oldestChange }: World, { kind, args }: Call): StreamAnswer {
  const from = args[1] === null ? changes.length : Number(args[1]);
  if (from < oldestChange) return { ended: 'history-lost' };
  if (kind === 'open') return { token: String(from) };
  const { appointmentId, isDeletion } = changes[from]!;
  const position = String(from + 1);
  return {
    change: {
      kind: isDeletion ? 'deleted' : 'written',
      appointmentId,
      companyId: isDeletion ? COMPANY : null,
      committedAt: null,
      clusterTime: position,
      resumeToken: position,
    },
  };
}

/** Shows what was published, which must not be older than what is shown. */
function show(world: World, published: readonly PublishedMessage[]): Outcome {
  let { screen } = world;
  let violation: string | undefined;
  for (const { message } of published) {
    const { payload, meta } = decodeMessage(message);
    const { _id: id, notes } = payload.appointment;
    const [content = '', version = ''] = notes?.split(' ') ?? [];
    const shown =
      meta.event === APPOINTMENT_DELETED ? world.documents[id]! : { version: Number(version), content };
    const before = screen[id]?.version ?? 0;
    if (shown.version < before)
      violation = `the screen goes back: ${nameOf(id)} from version ${before} to version ${shown.version}`;
    screen = { ...screen, [id]: shown };
  }
  return { world: { ...world, screen }, violation };
}

async function addWorkerCalls(world: World, index: number): Promise<Step[]> {
  const worker = world.workers[index];
  if (!worker) return [];
  const name = `worker ${index + 1}`;
  const { label, ...outcome } = await workerCall(world, index, worker);
  const steps: Step[] = [{ label: `${name} ${label}`, isSure: true, ...outcome }];
  const frozen = spend(world, 'freeze');
  if (frozen)
    steps.push({
      label: `${name} freezes, so its job waits again; it resumes later`,
      isSure: false,
      world: waiting(frozen, [worker.job]),
    });
  return steps;
}

/** A worker gets its next answer. */
async function workerCall(world: World, index: number, worker: Worker): Promise<Outcome & { label: string }> {
  const [call] = (await stopOfWorker(worker)).open;
  if (!call) throw new Error('a worker waits for nothing');
  const { world: next, answer, violation } = execute(world, call);
  const resumed: Worker = { ...worker, answers: [...worker.answers, [call.index, answer]] };
  const { result } = await stopOfWorker(resumed);
  const [outcome] = (result ?? []) as JobOutcome[];
  const workers = world.workers.map((one, at) => (at === index ? (outcome ? null : resumed) : one));
  const again = outcome === 'retry' ? [worker.job] : [];
  return { label: describeCall(call), violation, world: waiting({ ...next, workers }, again) };
}

/** Nothing happens by itself: the screen must show the database, unless the sweep has to find the difference. */
function checkRest(world: World): Step[] {
  if (world.hasRestarted) return [];
  const stale = Object.entries(world.documents).find(([id, document]) => {
    const shown = world.screen[id];
    return shown?.content !== document.content || shown.isDeleted !== document.isDeleted;
  });
  if (!stale) return [];
  const violation = `the last write of ${nameOf(stale[0])} is never shown`;
  return [{ label: 'nothing is left to do', isSure: true, violation, world }];
}
