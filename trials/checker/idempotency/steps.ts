import { runInRedis } from '../model-redis.ts';
import { scriptName } from '../redis-client.ts';
import {
  type Answer,
  type Call,
  createStops,
  describeCall,
  LOST_REPLY,
  type OpenCall,
  type Stop,
  UNAVAILABLE,
} from '../run-code.ts';
import {
  createSmallModel,
  type Outcome as OutcomeOf,
  spend,
  without,
  type WorldStep,
} from '../small-model.ts';
import type { Model } from '../search.ts';
import { checkAdded, checkReply, checkTaken, IN_PROGRESS_MS } from './invariants.ts';
import { type Added, type Body, itemsOf, type Reply, requestProgram } from './request.ts';
import {
  type Bounds,
  type Fault,
  firstWorld,
  type Job,
  type RequestProcess,
  type RequestState,
  type World,
} from './world.ts';

const CLOCK_JUMP_MS = 3_600_000;

type Outcome = OutcomeOf<World>;
type Step = WorldStep<World>;

export function createIdempotencyModel(bounds: Bounds): Model<string> {
  return createSmallModel(firstWorld(bounds), async (world) => {
    const steps = [...addRequest(world, bounds), ...addFaults(world)];
    for (const [index, request] of world.requests.entries()) {
      steps.push(...addLate(world, index));
      if (!request.isDead && !isAtRest(request)) steps.push(...(await addCalls(world, index)));
    }
    if (steps.some(({ isSure }) => isSure)) return steps;
    return [...(await checkRest(world)), ...steps];
  });
}

const stopOf = createStops(({ body, number }: RequestProcess) => requestProgram(body, number));

/** Where a request is. */
const stopOfRequest = ({ body, number, answers }: RequestState): Promise<Stop> =>
  stopOf({ body, number, answers });

function replaced(world: World, index: number, request: RequestState): World {
  return { ...world, requests: world.requests.map((one, at) => (at === index ? request : one)) };
}

const nameOf = (index: number, { body }: RequestState): string => `request ${index + 1} (${body})`;

/** The caller sends a request: the first one, or a repetition, whether or not it got an answer. */
function addRequest(world: World, { bodies }: Bounds): Step[] {
  const index = world.requests.length;
  const body = bodies[index];
  if (!body) return [];
  const request: RequestState = { body, number: index + 1, answers: [] };
  return [
    {
      label: `${nameOf(index, request)} begins`,
      isSure: false,
      world: { ...world, requests: [...world.requests, request] },
    },
  ];
}

function addFaults(world: World): Step[] {
  const steps: Step[] = [];
  const add = (name: Fault | 'time', label: string, change: (spent: World) => World): void => {
    const spent = spend(world, name);
    if (spent) steps.push({ label, isSure: false, world: change(spent) });
  };
  const { nowMs, life, jobs, lost, keyspace } = world;
  if (world.requests.length === 0) return [];
  add('time', '3 s pass', (spent) => ({ ...spent, nowMs: nowMs + IN_PROGRESS_MS }));
  add('clock', 'the clock of Redis is set back by an hour', (spent) => {
    return { ...spent, nowMs: nowMs - CLOCK_JUMP_MS, hasClockJumped: true };
  });
  const empty: Partial<World> = { keyspace: {}, life: life + 1, recorded: null };
  add('flush', 'Redis loses all keys', (spent) => {
    return { ...spent, ...empty, jobs: [], lost: [...lost, ...jobs.map(({ id }) => id)] };
  });
  if (!world.requests.every(isAtRest)) return steps;
  if (Object.keys(keyspace).length > 0)
    add('expiry', 'the lifetime of the record ends', (spent) => ({ ...spent, ...empty }));
  const isRemoved = isRecorded(world);
  if (jobs.some((job) => !job.isTrimmed && isRemoved(job)))
    add('trimming', 'the queue removes jobs that have ended', (spent) => {
      return { ...spent, jobs: jobs.map((job) => (isRemoved(job) ? { ...job, isTrimmed: true } : job)) };
    });
  return steps;
}

/** Tells jobs that the record has as added. */
function isRecorded({ keyspace, recorded }: World): (job: Job) => boolean {
  const [record] = Object.values(keyspace);
  const text = record && 'string' in record ? record.string : '';
  if (text.startsWith('done') && recorded) return ({ item }) => itemsOf(recorded).includes(item);
  // The bits of the first slice.
  const isFirstSlice = /^(busy|open) .* f+c0$/.test(text);
  return ({ item }) => isFirstSlice && item === itemsOf('batch')[0];
}

/** What was sent arrives, although nothing waits for the reply. */
function addLate(world: World, index: number): Step[] {
  const request = world.requests[index] as RequestState;
  const [call, ...rest] = request.late ?? [];
  if (!call) return [];
  const { world: next, violation } = execute(world, index, call);
  const label = `what ${nameOf(index, request)} has sent arrives: it ${describeCall(call)}`;
  const noted = without(next.requests[index] as RequestState, 'late');
  const left = { ...noted, ...(rest.length > 0 && { late: rest }) };
  return [{ label, isSure: true, violation, world: replaced(next, index, left) }];
}

/** Nothing of a request is in progress. */
function isAtRest({ reply, isDead, late, answers }: RequestState): boolean {
  return !late && (isDead === true || (reply !== undefined && answers.length === 0));
}

async function addCalls(world: World, index: number): Promise<Step[]> {
  const request = world.requests[index] as RequestState;
  const { open } = await stopOfRequest(request);
  const name = nameOf(index, request);
  const steps: Step[] = [];
  const add = (label: string, { world: next, violation }: Outcome, isSure = false): void => {
    steps.push({ label: `${name} ${label}`, isSure, violation, world: next });
  };
  // A connection sends replies in the order of the calls.
  const inOrder = open.filter(({ kind }) => kind !== 'timer');
  const [call] = inOrder;
  if (call) {
    const label = describeCall(call);
    add(label, await carryOut(world, index, call), true);
    const late = call.kind === 'enqueue' ? spend(world, 'timeout') : undefined;
    if (late) add(`${label} late`, await delayed(late, index, call));
    const lost = call.kind === 'find' ? undefined : spend(world, 'lost-reply');
    if (lost) add(`${label}, but the reply is lost`, await carryOut(lost, index, call, LOST_REPLY));
    const failed = spend(world, 'unavailable');
    if (failed) add(`${label}, which fails`, await answered(failed, index, call, UNAVAILABLE));
    const missing = call.kind === 'find' ? spend(world, 'not-found') : undefined;
    if (missing) add('finds no appointment', await answered(missing, index, call, { value: 'missing' }));
  }
  for (const timer of open.filter(({ kind }) => kind === 'timer')) {
    const late = spend(world, 'timeout');
    if (late) add(describeCall(timer), await answered(late, index, timer, { value: null }));
  }
  const dead = inOrder.length > 0 ? spend(world, 'crash') : undefined;
  for (let count = 0; dead && count <= inOrder.length; count += 1)
    add(`dies; Redis gets ${count} more calls`, { world: killed(dead, index, inOrder.slice(0, count)) });
  return steps;
}

function killed(world: World, index: number, sent: readonly Call[]): World {
  const request = without(world.requests[index] as RequestState, 'workingSince');
  const late = sent.filter(({ kind }) => kind !== 'find').map(({ kind, args }) => ({ kind, args }));
  const dead = { ...request, answers: [], isDead: true, ...(late.length > 0 && { late }) } as const;
  return replaced(world, index, dead);
}

/** A call gets no reply in time, and is carried out later. */
async function delayed(world: World, index: number, call: OpenCall): Promise<Outcome> {
  const request = world.requests[index] as RequestState;
  const { kind, args } = call;
  return answered(replaced(world, index, { ...request, late: [{ kind, args }] }), index, call, LOST_REPLY);
}

/** Does what a call asks for, and answers it. @param instead  the answer that the caller gets */
async function carryOut(world: World, index: number, call: OpenCall, instead?: Answer): Promise<Outcome> {
  const { world: next, answer, violation } = execute(world, index, call);
  if (violation !== undefined) return { world: next, violation };
  return answered(next, index, call, instead ?? answer);
}

/** Runs a call in Redis, the queue or MongoDB. */
function execute(world: World, index: number, call: Call): Outcome & { answer: Answer } {
  if (call.kind === 'find') return { world, answer: { value: 'found' } };
  if (call.kind === 'enqueue') return enqueue(world, index, call.args[0] as Added);
  const { keyspace, answer } = runInRedis({ ...world, history: 'h' }, call);
  const next = { ...world, keyspace };
  const request = world.requests[index] as RequestState;
  const name = scriptName(String(call.args[0]));
  if (name === 'finish-idempotency-key') return { world: { ...next, recorded: request.body }, answer };
  if (name !== 'take-idempotency-key') return { world: next, answer };
  const taken = noteTaken(next, index, (answer as { value: string[] }).value[0] ?? '');
  return { world: taken, answer, violation: checkTaken(taken) };
}

/** Notes what the take script has returned. */
function noteTaken(world: World, index: number, answer: string): World {
  const [state, ...fields] = answer.split(' ');
  const request = world.requests[index] as RequestState;
  const isTaken = state === 'taken';
  const nonce = isTaken ? fields[3] : fields[0];
  if (nonce === undefined) return world;
  const isWorking = isTaken && !request.isDead && !request.reply;
  const mustBeRefused = world.recorded !== null && world.recorded !== request.body;
  const noted: RequestState = {
    ...request,
    nonce,
    ...(isWorking && { workingSince: world.nowMs }),
    ...(mustBeRefused && { mustBeRefused }),
  };
  return { ...replaced(world, index, noted), nonces: { [nonce]: world.life, ...world.nonces } };
}

function enqueue(world: World, index: number, added: Added): Outcome & { answer: Answer } {
  const { nonce = '' } = world.requests[index] as RequestState;
  const violation = checkAdded(world, added, nonce);
  const isKnown = world.jobs.some(({ id }) => id === added.id);
  const jobs = isKnown ? world.jobs : [...world.jobs, { ...added, nonce }];
  return { world: { ...world, jobs }, violation, answer: { value: null } };
}

/** Gives a request the answer to a call. At its end the answer is checked. */
async function answered(world: World, index: number, call: OpenCall, answer: Answer): Promise<Outcome> {
  const before = world.requests[index] as RequestState;
  const request: RequestState = { ...before, answers: [...before.answers, [call.index, answer]] };
  const stop = await stopOfRequest(request);
  if (stop.result === undefined || request.reply)
    return { world: replaced(world, index, withoutAnswers(request, stop)) };
  const reply = stop.result as Reply;
  const violation = checkReply(world, request, reply);
  const ended = without(request, 'workingSince');
  return { world: replaced(world, index, withoutAnswers({ ...ended, reply }, stop)), violation };
}

/** Of a request that has ended only its reply is kept. */
function withoutAnswers(request: RequestState, { open }: Stop): RequestState {
  const hasEnded = request.reply && open.every(({ kind }) => kind === 'timer');
  return hasEnded ? { ...request, answers: [] } : request;
}

/** Nothing happens by itself: 3 s later a repetition of each body must not find the key taken. */
async function checkRest(world: World): Promise<Step[]> {
  for (const body of new Set(world.requests.map((request) => request.body))) {
    const { reply, violation } = await repeatLater(world, body);
    const found = violation ?? (reply.status === 409 ? 'the key stays taken' : undefined);
    const label = `3 s later a request (${body}) is sent again`;
    if (found !== undefined) return [{ label, isSure: true, violation: found, world }];
  }
  return [];
}

async function repeatLater(
  world: World,
  body: Body,
): Promise<{ reply: Reply; violation?: string | undefined }> {
  const index = world.requests.length;
  const request: RequestState = { body, number: index + 1, answers: [] };
  let now: World = { ...world, nowMs: world.nowMs + IN_PROGRESS_MS, requests: [...world.requests, request] };
  for (;;) {
    const current = now.requests[index] as RequestState;
    if (current.reply) return { reply: current.reply };
    const { open } = await stopOfRequest(current);
    const call = open.find(({ kind }) => kind !== 'timer');
    if (!call) throw new Error('a request has no answer and waits for nothing');
    const { world: next, violation } = await carryOut(now, index, call);
    if (violation !== undefined) return { reply: { status: 0, ids: [] }, violation };
    now = next;
  }
}
