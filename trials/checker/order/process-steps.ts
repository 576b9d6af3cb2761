import { scriptName } from '../redis-client.ts';
import { checkMessages } from './invariants.ts';
import { createIdSource, EMPTY, type IdSource, type Part, shapeText, textOf, toPart } from './parts.ts';
import type { Request, Stop } from './run-process.ts';
import { type CompanySlots, type ProcessSlot, valueOf } from './state.ts';
import { add, budgetOf, type Changes, type Context, isEmpty, partAt, plain, run, spend } from './step.ts';
import * as change from './transitions.ts';

const LOST_REPLY = toPart(JSON.stringify({ error: 'Command timed out' }));

export async function start({ process, stop }: ProcessSlot, task: Part, ids: IdSource): Promise<Changes> {
  const [started = EMPTY, firstStop = EMPTY] = await run(change.startProcess, ids, task);
  return [
    [process, started],
    [stop, firstStop],
  ];
}

/**
 * Starts a process, and runs its first script in the same step. A worker that has taken a job and not begun it differs from one
 * that has not taken it in nothing that others can see.
 */
export async function startWithScript(
  context: Context,
  slot: ProcessSlot,
  task: Part,
  ids: IdSource,
): Promise<Changes> {
  const [started = EMPTY, firstStop = EMPTY] = await run(change.startProcess, ids, task);
  const { request } = stopOf(firstStop) as { request: Request };
  const { changes, answer } = await runScript(context, request, firstStop, ids);
  const [resumed = EMPTY, stop = EMPTY] = await run(change.resumeProcess, ids, started, answer);
  return [...changes, [slot.process, resumed], [slot.stop, stop]];
}

export const stopOf = (part: Part): Stop => valueOf(part) as Stop;

export const isEnded = (part: Part): boolean => 'result' in stopOf(part);

const isRunning = (part: Part): boolean => !isEmpty(part) && !isEnded(part);

/**
 * Answers what a process has requested, with and without the loss of a script's reply.
 * @param andThen  may add to the changes
 */
export async function addAnswers(
  context: Context,
  slot: ProcessSlot,
  name: string,
  andThen: (changes: Changes) => Promise<Changes> = (changes) => Promise.resolve(changes),
): Promise<void> {
  const { state, layout } = context;
  const [process, stop] = [partAt(state, slot.process), partAt(state, slot.stop)];
  const stopped = stopOf(stop);
  if (!('request' in stopped)) return;
  const { request } = stopped;
  const answerWith = async (ids: IdSource, answer: Part): Promise<Changes> => {
    const [resumed = EMPTY, nextStop = EMPTY] = await run(change.resumeProcess, ids, process, answer);
    return [
      [slot.process, resumed],
      [slot.stop, nextStop],
    ];
  };
  if (request.kind !== 'script') {
    const ids = createIdSource();
    const [answer = EMPTY] = await run(change.readDatabase, ids, partAt(state, layout.database), stop);
    const changes = await andThen(await answerWith(ids, answer));
    add(
      context,
      'sure',
      `${name} ${request.kind === 'load' ? 'reads from' : 'finds ids in'} MongoDB`,
      changes,
      // No write can come before it. A crash or a cut drops what was read; a process that ends frees its worker.
      isLastVersion(context) && isRunning(stopIn(changes, slot)) ? { firstIfEmpty: [] } : {},
    );
    return;
  }
  const label = `${name} runs ${scriptName(request.digest)}`;
  const lostReply = spend(context, 'lost-reply');
  for (const lost of lostReply ? [undefined, lostReply] : [undefined]) {
    const ids = createIdSource();
    const { changes, answer, violation } = await runScript(context, request, stop, ids);
    const resumed = await answerWith(ids, lost ? LOST_REPLY : answer);
    const all = await andThen([...changes, ...(lost ?? []), ...resumed]);
    const refusal = describeAnswer(request, answer);
    if (lost) add(context, 'possible', `${label}${refusal}, but the reply is lost`, all, { violation });
    else add(context, 'sure', `${label}${refusal}`, all, { violation });
  }
}

/** True if no write can follow. */
function isLastVersion(context: Context): boolean {
  const { writes, deletion = 0 } = budgetOf(context);
  return writes === 0 && deletion === 0;
}

/** Where a process is after some changes. */
export const stopIn = (changes: Changes, slot: ProcessSlot): Part =>
  changes.findLast(([changed]) => changed === slot.stop)?.[1] ?? EMPTY;

/** Runs a script on the keys of its company, and sends what it publishes. */
export async function runScript({ state, layout }: Context, request: Request, stop: Part, ids: IdSource) {
  const company = companyOfScript(layout.companies, request);
  const [redis = EMPTY, answer = EMPTY, packets = EMPTY] = await run(
    change.runScript,
    ids,
    partAt(state, company.redis),
    partAt(state, layout.history),
    stop,
  );
  const changes: Changes = [[company.redis, redis]];
  if (shapeText(packets.shape) === '[]') return { changes, answer, violation: undefined };
  const [last = EMPTY, violation = EMPTY] = await run(
    checkMessages,
    ids,
    partAt(state, company.lastPublished),
    plain(company.id),
    packets,
    partAt(state, layout.database),
  );
  const [wire = EMPTY] = await run(change.send, ids, partAt(state, company.wire), packets);
  changes.push([company.lastPublished, last], [company.wire, wire]);
  return { changes, answer, violation: textOf(violation) };
}

export function companyOfScript(companies: readonly CompanySlots[], request: Request): CompanySlots {
  const key = request.kind === 'script' ? request.keys[0] : '';
  const company = companies.find(({ id }) => key?.includes(id));
  if (!company) throw new Error(`no company has the key ${key}`);
  return company;
}

/** Says if the publish script or the confirm script has refused a snapshot. */
function describeAnswer(request: Request, answer: Part): string {
  if (request.kind !== 'script') return '';
  const { value } = valueOf(answer) as { value: unknown[] };
  const name = scriptName(request.digest);
  const results = value.slice(3);
  // The publish script returns pairs of offset and gateways.
  const isRefused =
    (name === 'publish' && results.some((offset, index) => index % 2 === 0 && offset === 0)) ||
    (name === 'confirm' && results.includes(0));
  return isRefused ? ', which refuses a snapshot' : '';
}
