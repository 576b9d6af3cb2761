import { createIdSource, EMPTY, type Part, shapeText, textOf } from './parts.ts';
import { addAnswers, isEnded, start } from './process-steps.ts';
import type { Task } from './programs.ts';
import { type CompanySlots, valueOf } from './state.ts';
import { add, budgetOf, type Changes, type Context, isEmpty, partAt, plain, run, spend } from './step.ts';
import * as change from './transitions.ts';

type WirePacket = { event: { meta: { read: number; event: string } } } | { position: object };
const isLiveMessage = (packet: WirePacket): boolean => 'event' in packet && packet.event.meta.read === 0;

export async function tell(
  { state }: Context,
  { id, dashboard }: CompanySlots,
  input: Part,
  ids = createIdSource(),
): Promise<{ changes: Changes; violation: string }> {
  const [next = EMPTY, violation = EMPTY] = await run(
    change.tellDashboard,
    ids,
    partAt(state, dashboard),
    input,
    plain(id),
  );
  return { changes: [[dashboard, next]], violation: textOf(violation) };
}

/** The oldest packet arrives, or is lost. The gateway drops live messages while no dashboard is connected. */
export async function addDeliveries(context: Context, company: CompanySlots): Promise<void> {
  const { state } = context;
  const { name, wire, connection } = company;
  const packets = valueOf(state[wire]) as WirePacket[];
  const [first] = packets;
  if (!first) return;
  const ids = createIdSource();
  const [packet = EMPTY, rest = EMPTY] = await run(change.takePacket, ids, partAt(state, wire));
  const lost = spend(context, 'lost-message');
  if (lost && isLiveMessage(first))
    add(context, 'possible', `a message for ${name} is lost`, [...lost, [wire, rest]]);
  if (shapeText(partAt(state, connection).shape) === 'off') {
    add(context, 'sure', `the gateway gets a message for ${name}, which has no dashboard`, [[wire, rest]]);
    return;
  }
  const { changes, violation } = await tell(context, company, packet);
  const label = `the dashboard of ${name} receives ${describePacket(first)}`;
  add(context, 'sure', label, [...changes, [wire, rest]], {
    violation,
    ...(isOnlyInput(context, company) && { firstIfEmpty: [company.list.process, company.catchUp.process] }),
  });
}

/**
 * True if a dashboard can get or do nothing else before its oldest packet arrives, unless a list or a catch-up is being made. What
 * others do adds packets behind it.
 */
function isOnlyInput(context: Context, { dashboard }: CompanySlots): boolean {
  const budget = budgetOf(context);
  const { isConnected, needsList, isBehind } = change.wantsOfPart(partAt(context.state, dashboard));
  const isUndisturbed = !budget.lists && !budget.cuts && !budget['lost-message'];
  return isUndisturbed && isConnected && !needsList && !isBehind;
}

function describePacket(packet: WirePacket): string {
  if (!('event' in packet)) return 'reply' in packet ? 'the reply to its catch-up' : 'a position';
  const { event, read } = packet.event.meta;
  return `${read === 0 ? 'a live' : 'a replayed'} ${event}`;
}

/** Connects, and cuts the connection: what the gateway has sent is lost, and it may or may not have sent a live message. */
export async function addConnectionSteps(context: Context, company: CompanySlots): Promise<void> {
  const { state } = context;
  const { name, dashboard, connection, wire, catchUp } = company;
  const wants = change.wantsOfPart(partAt(state, dashboard));
  if (!wants.isConnected) {
    if (wants.position) await addConnect(context, company);
    return;
  }
  const cut = spend(context, 'cuts');
  if (!cut) return;
  const packets = valueOf(state[wire]) as WirePacket[];
  const firstUnsent = packets.findLastIndex((packet) => !isLiveMessage(packet)) + 1;
  const { changes } = await tell(context, company, plain({ disconnect: true }));
  for (let count = firstUnsent; count <= packets.length; count += 1) {
    const [left = EMPTY] = await run(change.losePackets, createIdSource(), partAt(state, wire), plain(count));
    add(
      context,
      'possible',
      `the connection of ${name} is cut${count > 0 ? `; it loses ${count} packets` : ''}`,
      [
        ...cut,
        ...changes,
        [connection, plain('off')],
        [wire, left],
        [catchUp.process, EMPTY],
        [catchUp.stop, EMPTY],
      ],
    );
  }
}

/** A dashboard connects with its position; the gateway lets it join the room and begins the catch-up. */
async function addConnect(context: Context, company: CompanySlots): Promise<void> {
  const { id, name, dashboard, connection, catchUp } = company;
  const ids = createIdSource();
  const { changes, violation } = await tell(context, company, plain({ connect: true }), ids);
  const [task = EMPTY] = await run(change.catchUpTask, ids, partAt(context.state, dashboard), plain(id));
  const started = await start(catchUp, task, ids);
  const label = `the dashboard of ${name} connects`;
  add(context, 'sure', label, [...changes, ...started, [connection, plain('joining')]], { violation });
}

/** The dashboard requests a list, if it needs one or the user wants one. */
export async function addListRequest(context: Context, company: CompanySlots): Promise<void> {
  const { id, name, dashboard, list } = company;
  const isNeeded = change.wantsOfPart(partAt(context.state, dashboard)).needsList;
  const byUser = isNeeded ? [] : spend(context, 'lists');
  if (!byUser) return;
  const ids = createIdSource();
  const { changes } = await tell(context, company, plain({ requestList: true }), ids);
  const started = await start(list, plain({ run: 'list', companyId: id } satisfies Task), ids);
  const label = `the dashboard of ${name} requests the list${isNeeded ? '' : ', by its user'}`;
  add(context, isNeeded ? 'sure' : 'possible', label, [...byUser, ...changes, ...started]);
}

/** The list route makes the list; it arrives. */
export async function addListSteps(context: Context, company: CompanySlots): Promise<void> {
  const { state } = context;
  const { name, list } = company;
  const who = `the list route for ${name}`;
  await addAnswers(context, list, who);
  const stop = partAt(state, list.stop);
  if (!isEnded(stop)) return;
  const ended: Changes = [
    [list.process, EMPTY],
    [list.stop, EMPTY],
  ];
  const ids = createIdSource();
  const [input = EMPTY] = await run(change.listInput, ids, stop);
  if (isEmpty(input)) {
    add(context, 'sure', `${who} fails`, ended);
    return;
  }
  const { changes, violation } = await tell(context, company, input, ids);
  add(context, 'sure', `the dashboard of ${name} receives the list`, [...changes, ...ended], { violation });
}

/** The dashboard requests a catch-up if it is behind. */
export async function addCatchUpRequest(context: Context, company: CompanySlots): Promise<void> {
  const { state } = context;
  const { id, name, dashboard, wire, catchUp } = company;
  const { isConnected, isBehind } = change.wantsOfPart(partAt(state, dashboard));
  const isReplied = (valueOf(state[wire]) as WirePacket[]).every((packet) => !('reply' in packet));
  if (!isConnected || !isBehind || !isReplied) return;
  const ids = createIdSource();
  const [task = EMPTY] = await run(change.catchUpTask, ids, partAt(state, dashboard), plain(id));
  add(context, 'sure', `the dashboard of ${name} requests a catch-up`, await start(catchUp, task, ids));
}

/** The gateway makes the catch-up, and sends it. */
export async function addCatchUpSteps(context: Context, company: CompanySlots): Promise<void> {
  const { state } = context;
  const { name, connection, wire, catchUp } = company;
  const who = `the gateway, for the catch-up of ${name},`;
  await addAnswers(context, catchUp, who);
  const [process, stop] = [partAt(state, catchUp.process), partAt(state, catchUp.stop)];
  if (!isEnded(stop)) return;
  const ids = createIdSource();
  const [packets = EMPTY] = await run(change.replayPackets, ids, process, stop, partAt(state, connection));
  if (isEmpty(packets)) {
    const [task = EMPTY] = await run(change.taskOf, ids, process);
    add(context, 'sure', `${who} tries again`, await start(catchUp, task, ids));
    return;
  }
  const [sent = EMPTY] = await run(change.send, ids, partAt(state, wire), packets);
  add(context, 'sure', `${who} sends the replay and the position`, [
    [wire, sent],
    [connection, plain('on')],
    [catchUp.process, EMPTY],
    [catchUp.stop, EMPTY],
  ]);
}
