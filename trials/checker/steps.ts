import { addCatchUpSteps, addConnectionSteps, addDeliveries, addListSteps, tell } from './dashboard-steps.ts';
import { checkSettled } from './invariants.ts';
import { createIdSource, EMPTY, type Part, renumber, shapeText } from './parts.ts';
import { runScript, stopOf } from './process-steps.ts';
import type { Task } from './programs.ts';
import { addKeyFaults, addServerFaults } from './redis-steps.ts';
import type { Request } from './run-process.ts';
import { type Bounds, type CompanySlots, type Layout, type State, valueOf, replaceParts } from './state.ts';
import { add, type Changes, type Context, partAt, plain, run, spend, type Step } from './step.ts';
import * as change from './transitions.ts';
import { addWorkerSteps } from './worker-steps.ts';
import { addWrites } from './write-steps.ts';

/** All steps of the model. */
export function createModel(layout: Layout, bounds: Bounds) {
  return {
    /** The steps from a state. If none but announcements is left, the state is checked. */
    async stepsFrom(state: State): Promise<Step[]> {
      const context: Context = { state, layout, bounds, steps: [] };
      await addAll(context);
      if (!context.steps.some(({ isSure }) => isSure)) context.steps.unshift(...(await settle(context)));
      return context.steps;
    },
  };
}

async function addAll(context: Context): Promise<void> {
  const { layout } = context;
  addWrites(context);
  addServerFaults(context);
  for (const [index, worker] of layout.workers.entries()) await addWorkerSteps(context, worker, index + 1);
  for (const company of layout.companies) await addCompanySteps(context, company);
}

async function addCompanySteps(context: Context, company: CompanySlots): Promise<void> {
  addKeyFaults(context, company);
  await addDeliveries(context, company);
  await addConnectionSteps(context, company);
  await addListSteps(context, company);
  await addCatchUpSteps(context, company);
  const announced = spend(context, 'announcement');
  if (announced) {
    const changes = await announce(context, company);
    if (changes)
      add(context, 'possible', `the gateway announces the head of ${company.name}`, [
        ...announced,
        ...changes,
      ]);
  }
}

/** Sends the head of a company log to its dashboard, if that has caught up. */
async function announce(context: Context, company: CompanySlots): Promise<Changes | undefined> {
  const { state } = context;
  if (shapeText(partAt(state, company.connection).shape) !== 'on') return undefined;
  const ids = createIdSource();
  const task = plain({ run: 'head', companyId: company.id } satisfies Task);
  const [process = EMPTY, stop = EMPTY] = await run(change.startProcess, ids, task);
  const { request } = stopOf(stop) as { request: Request };
  const { changes, answer } = await runScript(context, request, stop, ids);
  const [, ended = EMPTY] = await run(change.resumeProcess, ids, process, answer);
  const [packets = EMPTY] = await run(change.announcement, ids, ended);
  const [wire = EMPTY] = await run(change.send, ids, partAt(state, company.wire), packets);
  return [...changes, [company.wire, wire]];
}

/**
 * Nothing is left to do: each gateway announces the heads, as it does every few seconds. If that changes nothing, every
 * dashboard must show the last state.
 */
async function settle(context: Context): Promise<Step[]> {
  const { state, layout } = context;
  let current: State = state;
  const labels: string[] = [];
  for (const company of layout.companies) {
    const changes = await announce({ ...context, state: current }, company);
    if (!changes) continue;
    labels.push(company.name);
    current = renumber(replaceParts(current, changes));
  }
  const label = `the gateway announces the heads of ${labels.join(' and ')}`;
  for (const company of layout.companies) {
    const told = await deliverAll({ ...context, state: current }, company);
    if (told.violation !== undefined)
      return [{ label, next: told.state, isSure: true, violation: told.violation }];
    current = told.state;
  }
  const isSame = current.every((part, slot) => isSamePart(part, state[slot]));
  if (!isSame) return [{ label, next: current, isSure: true }];
  const violation = checkSettled(state, layout);
  return violation ? [{ label: 'nothing is left to do', next: state, isSure: true, violation }] : [];
}

async function deliverAll(
  context: Context,
  company: CompanySlots,
): Promise<{ state: State; violation?: string }> {
  let { state } = context;
  while ((valueOf(state[company.wire]) as unknown[]).length > 0) {
    const ids = createIdSource();
    const [packet = EMPTY, rest = EMPTY] = await run(change.takePacket, ids, partAt(state, company.wire));
    const { changes, violation } = await tell({ ...context, state }, company, packet, ids);
    state = renumber(replaceParts(state, [...changes, [company.wire, rest]]));
    if (violation) return { state, violation };
  }
  return { state };
}

function isSamePart(a: Part, b: Part | undefined): boolean {
  return a.shape === b?.shape && a.ids.every((id, index) => id === b.ids[index]);
}
