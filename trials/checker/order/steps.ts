import {
  addCatchUpRequest,
  addCatchUpSteps,
  addConnectionSteps,
  addDeliveries,
  addListRequest,
  addListSteps,
  tell,
} from './dashboard-steps.ts';
import { checkSettled } from './invariants.ts';
import { createIdSource, EMPTY, type Part, renumber, shapeText } from './parts.ts';
import { companyOfScript, runScript, stopOf } from './process-steps.ts';
import type { Task } from './programs.ts';
import { addKeyFaults, addServerFaults } from './redis-steps.ts';
import type { Request } from './run-process.ts';
import {
  type CompanySlots,
  type Layout,
  type ProcessSlot,
  type State,
  valueOf,
  replaceParts,
} from './state.ts';
import { add, type Changes, type Context, isEmpty, partAt, plain, run, spend, type Step } from './step.ts';
import * as change from './transitions.ts';
import { addTakes, addWorkerSteps } from './worker-steps.ts';
import { addWrites } from './write-steps.ts';

/** Steps that read and change only some parts of a state. */
export interface StepGroup {
  /** The parts, one of a few lists; none if there are no steps. */
  slotsIn: (state: State) => readonly number[];
  addSteps: (context: Context) => void | Promise<void>;
}

const NONE: readonly number[] = [];

/** All steps of the model but {@link settle}. */
export function stepGroups(layout: Layout): StepGroup[] {
  const { history, database, jobs, budget, workers, companies } = layout;
  const keyspaces = companies.flatMap(({ redis, replica }) => [redis, replica]);
  return [
    fixedGroup([budget, database, jobs], addWrites),
    fixedGroup([budget, history, ...keyspaces], addServerFaults),
    ...workers.flatMap((worker, index) => {
      const name = `worker ${index + 1}`;
      const taking = [jobs, history, database, ...companies.flatMap(touchedByScripts)];
      return [
        {
          slotsIn: (state) =>
            workers.find(({ process }) => isEmpty(state[process])) === worker ? taking : NONE,
          addSteps: (context) => addTakes(context, worker, name),
        } satisfies StepGroup,
        processGroup(layout, {
          slot: worker,
          more: [jobs],
          addSteps: (context) => addWorkerSteps(context, worker, name),
        }),
      ];
    }),
    ...companies.flatMap((company) => companyGroups(layout, company)),
  ];
}

const fixedGroup = (slots: readonly number[], addSteps: StepGroup['addSteps']): StepGroup => ({
  slotsIn: () => slots,
  addSteps,
});

function touchedByScripts({ redis, lastPublished, wire }: CompanySlots): number[] {
  return [redis, lastPublished, wire];
}

/** Steps of a process that runs: what it has requested decides which parts they read. */
function processGroup(
  { history, database, budget, companies }: Layout,
  { slot, more, addSteps }: { slot: ProcessSlot; more: readonly number[]; addSteps: StepGroup['addSteps'] },
): StepGroup {
  const own = [slot.process, slot.stop, budget, ...more];
  const reading = [...own, database];
  const scripts = new Map(
    companies.map((company) => [company.id, [...reading, history, ...touchedByScripts(company)]]),
  );
  return {
    slotsIn(state) {
      if (isEmpty(state[slot.process])) return NONE;
      const stop = stopOf(partAt(state, slot.stop));
      if (!('request' in stop)) return own;
      if (stop.request.kind !== 'script') return reading;
      return scripts.get(companyOfScript(companies, stop.request).id) ?? NONE;
    },
    addSteps,
  };
}

function companyGroups(layout: Layout, company: CompanySlots): StepGroup[] {
  const { budget, database, history } = layout;
  const { dashboard, connection, wire, list, catchUp } = company;
  const ifEmpty = (slot: ProcessSlot, slots: readonly number[], addSteps: StepGroup['addSteps']) => ({
    slotsIn: (state: State) => (isEmpty(state[slot.process]) ? slots : NONE),
    addSteps,
  });
  return [
    fixedGroup([budget, database, company.redis], (context) => {
      addKeyFaults(context, company);
    }),
    fixedGroup([budget, dashboard, connection, wire], (context) => addDeliveries(context, company)),
    fixedGroup([budget, dashboard, wire], (context) => addConnectionSteps(context, company)),
    ifEmpty(list, [budget, dashboard], (context) => addListRequest(context, company)),
    ifEmpty(catchUp, [dashboard, connection, wire], (context) => addCatchUpRequest(context, company)),
    processGroup(layout, {
      slot: list,
      more: [dashboard],
      addSteps: (context) => addListSteps(context, company),
    }),
    processGroup(layout, {
      slot: catchUp,
      more: [connection, wire],
      addSteps: (context) => addCatchUpSteps(context, company),
    }),
    fixedGroup([budget, connection, database, history, ...touchedByScripts(company)], (context) =>
      addAnnouncement(context, company),
    ),
  ];
}

async function addAnnouncement(context: Context, company: CompanySlots): Promise<void> {
  const announced = spend(context, 'announcement');
  const changes = announced && (await announce(context, company));
  if (changes)
    add(context, 'possible', `the gateway announces the head of ${company.name}`, [...announced, ...changes]);
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
export async function settle(context: Context): Promise<Step[]> {
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
  const stepTo = (next: State, violation?: string): Step => ({
    label,
    changes: next.map((part, slot) => [slot, part] as const),
    isSure: true,
    ...(violation && { violation }),
  });
  for (const company of layout.companies) {
    const told = await deliverAll({ ...context, state: current }, company);
    if (told.violation !== undefined) return [stepTo(told.state, told.violation)];
    current = told.state;
  }
  const isSame = current.every((part, slot) => isSamePart(part, state[slot]));
  if (!isSame) return [stepTo(current)];
  const violation = checkSettled(state, layout);
  return violation ? [{ label: 'nothing is left to do', changes: [], isSure: true, violation }] : [];
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
