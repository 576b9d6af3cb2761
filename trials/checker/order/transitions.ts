import type { Id, StreamPosition } from '@appointment-emissions/contracts';
import { type DashboardInput, type DashboardWants, receive, wantsOf } from './dashboard.ts';
import { createLuaMachine } from '../lua-machine.ts';
import { memoize, type Part, shapeText } from './parts.ts';
import { companyKeys, decodeMessage, type Job, type JobOutcome, programFor, type Task } from './programs.ts';
import { scriptSources } from '../redis-client.ts';
import { createStandIn, type Keyspace } from '../redis-stand-in.ts';
import { type Answer, type ProcessState, type Request, runProcess, type Stop } from './run-process.ts';
import type { Database, SavedProcess } from './state.ts';

/**
 * What one step changes, as functions of texts. Each runs once for texts that differ only in the names of their ids.
 */
const runLua = createLuaMachine();

/** `(redis, history, stop) → [redis, answer, packets]`: runs the script that a process has requested. */
export const runScript = memoize((redis, history, stop) => {
  const keyspace = JSON.parse(redis) as Keyspace;
  const { request } = JSON.parse(stop) as { request: Extract<Request, { kind: 'script' }> };
  const standIn = createStandIn(keyspace, history);
  const source = scriptSources.get(request.digest) ?? '';
  const value = runLua(source, request.keys, request.args, standIn.command);
  const packets = standIn.published.map(({ message }) => ({ event: decodeMessage(message) }));
  return [keyspaceText(keyspace), JSON.stringify({ value } satisfies Answer), JSON.stringify(packets)];
});

/** Without the index of published appointments, which only the sweep reads. */
function keyspaceText(keyspace: Keyspace): string {
  const isIndex = (key: string): boolean => key.endsWith(':published');
  const keys = Object.keys(keyspace).filter((key) => !isIndex(key));
  return JSON.stringify(Object.fromEntries(keys.sort().map((key) => [key, keyspace[key]])));
}

/** `(redis, key) → [redis]`: an expiry. */
export const removeKey = memoize((redis, key) => {
  const keyspace = JSON.parse(redis) as Keyspace;
  Reflect.deleteProperty(keyspace, key);
  return [keyspaceText(keyspace)];
});

/** `(database, stop) → [answer]`: a read that a process has requested of MongoDB. */
export const readDatabase = memoize((text, stop) => {
  const database = JSON.parse(text) as Database;
  const { request } = JSON.parse(stop) as { request: Exclude<Request, { kind: 'script' }> };
  const existing = Object.entries(database).filter(([, { isDeleted }]) => !isDeleted);
  const value =
    request.kind === 'find'
      ? existing.filter(([, { companyId }]) => companyId === request.companyId).map(([id]) => id)
      : existing
          .filter(([id]) => request.ids.includes(id))
          .map(([id, document]) => [id, snapshot(id, document)]);
  return [JSON.stringify({ value } satisfies Answer)];
});

/** The version of an appointment is in its notes. */
function snapshot(id: Id, { companyId, version }: Database[Id]) {
  return { _id: id, companyId, notes: String(version), status: null, updatedAt: null };
}

/** `(task) → [process, stop]` */
export const startProcess = memoize(async (text) => {
  const task = JSON.parse(text) as Task;
  return toTexts(task, await runProcess(programFor(task), { answers: [], ids: [] }));
});

/** `(process, answer) → [process, stop]` */
export const resumeProcess = memoize(async (text, answer) => {
  const { task, answers, ids } = JSON.parse(text) as SavedProcess;
  const known = { answers: [...answers, JSON.parse(answer) as Answer], ids };
  return toTexts(task, await runProcess(programFor(task), known));
});

function toTexts(task: Task, { state, stop }: { state: ProcessState; stop: Stop }): string[] {
  return [JSON.stringify({ task, ...state } satisfies SavedProcess), JSON.stringify(stop)];
}

/** `(jobs, job) → [jobs]` */
export const addJob = memoize((jobs, job) => [
  sortedJobs([...(JSON.parse(jobs) as Job[]), JSON.parse(job) as Job]),
]);

/** `(jobs, process) → [jobs]`: all jobs of a worker run again. */
export const requeue = memoize((jobs, process) => [
  sortedJobs([...(JSON.parse(jobs) as Job[]), ...jobsOf(process)]),
]);

/** `(jobs, process, stop) → [jobs]`: a worker has ended. */
export const finishJobs = memoize((jobs, process, stop) => {
  const { result } = JSON.parse(stop) as { result: JobOutcome[] };
  const again = jobsOf(process).filter((_, index) => result[index] === 'retry');
  return [sortedJobs([...(JSON.parse(jobs) as Job[]), ...again])];
});

/** `(jobs, index) → [jobs, task]`: a worker takes one job, or all for an empty index. */
export const takeJobs = memoize((text, index) => {
  const jobs = JSON.parse(text) as Job[];
  const taken = index === '' ? jobs : jobs.slice(Number(index), Number(index) + 1);
  const left = jobs.filter((job) => !taken.includes(job));
  return [JSON.stringify(left), JSON.stringify({ run: 'emit', jobs: taken } satisfies Task)];
});

function jobsOf(process: string): Job[] {
  const { task } = JSON.parse(process) as SavedProcess;
  return task.run === 'emit' ? task.jobs : [];
}

function sortedJobs(jobs: Job[]): string {
  return JSON.stringify(
    jobs
      .map((job) => JSON.stringify(job))
      .sort()
      .map((job) => JSON.parse(job) as Job),
  );
}

/** `(dashboard, input) → [dashboard, violation]` */
export const tellDashboard = memoize(receive);

/** `(dashboard, companyId) → [task]`: the catch-up from the dashboard's position. */
export const catchUpTask = memoize((dashboard, companyId) => {
  const { position } = wantsOf(dashboard);
  return [JSON.stringify({ run: 'catch-up', companyId, from: position } satisfies Task)];
});

const wants = new Map<number, DashboardWants>();

/** What a dashboard does next. The ids in it are not those of the state. */
export function wantsOfPart({ shape }: Part): DashboardWants {
  const known = wants.get(shape) ?? wantsOf(shapeText(shape));
  wants.set(shape, known);
  return known;
}

/** `(wire, packets) → [wire]` */
export const send = memoize((wire, packets) => [
  JSON.stringify([...(JSON.parse(wire) as unknown[]), ...(JSON.parse(packets) as unknown[])]),
]);

/** `(wire) → [first packet, wire]` */
export const takePacket = memoize((wire) => {
  const [first, ...rest] = JSON.parse(wire) as DashboardInput[];
  return [JSON.stringify(first), JSON.stringify(rest)];
});

/** `(wire, count) → [wire]`: loses the oldest packets. */
export const losePackets = memoize((wire, count) => [
  JSON.stringify((JSON.parse(wire) as DashboardInput[]).slice(Number(count))),
]);

/** `(process, stop, 'joining' or 'on') → [packets]`: what a gateway sends when a catch-up has ended; none if it failed. */
export const replayPackets = memoize((process, stop, connection) => {
  const { task } = JSON.parse(process) as SavedProcess;
  const { result } = JSON.parse(stop) as { result: Replayed | { error: string } };
  if ('error' in result) return [''];
  const { events, position } = result;
  const from = task.run === 'catch-up' ? (task.from as StreamPosition) : undefined;
  const reply = connection === 'on' && from ? [{ reply: position, from }] : [];
  return [JSON.stringify([...events.map((event) => ({ event })), { position }, ...reply])];
});

interface Replayed {
  events: { payload: object; meta: object }[];
  position: StreamPosition & { recovered: boolean };
}

/** `(process) → [task]` */
export const taskOf = memoize((process) => [JSON.stringify((JSON.parse(process) as SavedProcess).task)]);

/** `(stop) → [input]`: the list that a dashboard gets; empty if the request failed. */
export const listInput = memoize((stop) => {
  const { result } = JSON.parse(stop) as { result: { error?: string } };
  return [result.error === undefined ? JSON.stringify({ list: result }) : ''];
});

/** `(answer of log-after) → [packets]`: the announcement of a head. */
export const announcement = memoize((stop) => {
  const { result } = JSON.parse(stop) as { result: StreamPosition };
  return [JSON.stringify([{ position: { ...result, recovered: true } }])];
});

export const orderKey = (companyId: Id, appointmentId: Id): string =>
  companyKeys.order(companyId, appointmentId);
export const logKey = (companyId: Id): string => companyKeys.log(companyId);
