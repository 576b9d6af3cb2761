import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import type { PositionUpdate } from '@appointment-emissions/contracts';
import type { Company } from '../harness/documents.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { allEqualList, openScreen, type Screen } from '../resilience/screens.ts';
import { type Application, createEmbeddedWorld, PAIRS, startApplication } from './application.ts';

/*
 * Guarantees 3, 4 and 6 of docs/reference/guarantees.md in the embedded form. The mechanisms are those of the stand-alone
 * processes. Their own tests have the negative controls.
 */

let world: World;
let company: Company;
let appointmentId: string;
beforeEach(async () => {
  ({ world, company, appointmentId } = await createEmbeddedWorld());
});
afterEach(() => world.close());

/** States of each appointment that each screen must have shown: an emission carries the newest state, so some are skipped. */
const STATES = 10;
const MAX_WRITES = 5_000;

const start = () => startApplication(world, PAIRS[0]);

/** Writes as the application does, and announces the write. */
async function write({ emissions }: Application, id: string, update: object): Promise<void> {
  await world.documents.models.Appointment.collection.updateOne({ _id: new Types.ObjectId(id) }, update);
  expect(await emissions.updated(id)).toBe(true);
}

const announce = (application: Application, notes: string) =>
  write(application, appointmentId, { $set: { notes, updatedAt: new Date() } });

test('two embedded applications write and emit the same appointments: no screen goes back, and each ends at the last state', async () => {
  const applications = await Promise.all([start(), start()]);
  const ids = [appointmentId, await company.appointment()];
  for (const id of ids) await company.change(id, { notes: '0000' });
  const network = await startTcpProxy(Number(new URL(applications[0].url).port));
  world.keep(network, network.close);
  const urls = [...applications.map(({ url }) => url), `http://127.0.0.1:${network.port}`];
  const screens = await Promise.all(urls.map((url) => openScreen(world, url, company.companyId)));
  await Promise.all(screens.map((screen) => screen.becomes('live')));
  const shown = screens.map((screen) => recordNotes(screen, ids));

  // `$max`: with every write a document stays, or it gets a higher number, whichever write the database takes first.
  let [last, cuts] = [0, 0];
  const isEnough = (): boolean =>
    cuts > 1 && shown.every((all) => [...all.values()].every(({ length }) => length > STATES));
  await Promise.all(
    applications.flatMap((application) =>
      Array.from({ length: 4 }, async () => {
        while (last < MAX_WRITES && !isEnough()) {
          const number = (last += 1);
          const update = { $max: { notes: String(number).padStart(4, '0'), updatedAt: new Date() } };
          await write(application, ids[number % 2]!, update);
          if (number % 50 !== 0 || cuts === 2) continue;
          network.cut();
          cuts += 1;
        }
      }),
    ),
  );
  await allEqualList(world, applications[0], screens, 30_000);
  for (const recorded of shown) {
    for (const notes of recorded.values()) {
      expect(notes.length).toBeGreaterThan(STATES);
      expect(notes).toEqual(notes.toSorted());
    }
  }
});

/** The notes of each appointment that the screen has shown, in order. */
function recordNotes({ dashboard, notes }: Screen, ids: readonly string[]): Map<string, string[]> {
  const recorded = new Map(ids.map((id) => [id, [notes(id) ?? '']]));
  const record = (): void => {
    for (const [id, all] of recorded) {
      const now = notes(id) ?? '';
      if (now !== all.at(-1)) all.push(now);
    }
  };
  dashboard.on('appointment:updated', record);
  dashboard.on('state', record);
  return recorded;
}

test('a dashboard of an embedded application catches up after a cut, also at another instance, without a reload', async () => {
  const [one, two] = await Promise.all([start(), start()]);
  const network = await startTcpProxy(Number(new URL(one.url).port));
  world.keep(network, network.close);
  const screen = await openScreen(world, `http://127.0.0.1:${network.port}`, company.companyId);
  await screen.becomes('live');
  // Negative control: a client that sends no position receives only what is live.
  const token = await world.token(company.companyId);
  const plain = await one.client({ token }, `http://127.0.0.1:${network.port}`);
  await announce(one, 'before');
  await eventually('both to receive it', () => screen.shownEvents.length + plain.received.length === 2);

  for (const instance of [one, two]) {
    network.refuse();
    await screen.becomes('connecting');
    for (const notes of ['first', 'second', 'third']) await announce(two, `${notes} ${instance.url}`);
    network.leadTo(Number(new URL(instance.url).port));
    network.mend();
    await allEqualList(world, two, [screen]);
    expect(screen.notes(appointmentId)).toBe(`third ${instance.url}`);
  }
  expect(screen.reloads).toEqual([]);
  expect(screen.lists).toBe(1);
  await eventually('the plain client to reconnect', () => plain.socket.connected);
  await announce(one, 'after');
  await eventually('the event', () => plain.received.length > 1);
  expect(plain.names()).toEqual(['appointment:updated', 'appointment:updated']);
});

test('a client that sends its position gets recovered: true after each cut', async () => {
  const application = await start();
  const token = await world.token(company.companyId);
  let position: { epoch: string; offset: number } | undefined;
  const updates: PositionUpdate[] = [];
  for (const notes of ['first', 'second', 'third']) {
    const { socket, received } = await application.client({
      token,
      positions: true,
      ...(position && { position }),
    });
    const positions = () =>
      received
        .filter(({ event }) => event === 'emissions:position')
        .map(({ args }) => args[0] as PositionUpdate);
    const { epoch, offset } = await eventually('a position', () => positions()[0]);
    updates.push(...positions());
    position = { epoch, offset };
    socket.close();
    await company.change(appointmentId, { notes });
    const emissionId = await world.emit(application, 'appointment-updated', appointmentId);
    await world.jobIn(emissionId, 'completed');
  }
  expect(updates.map(({ recovered }) => recovered)).toEqual(updates.map(() => true));
  expect(position?.offset).toBe(2);
});

test('personal data of a company reaches no socket, list or log line of another company in the embedded application', async () => {
  const email = 'zq.unlisted+canary@example.org';
  const application = await start();
  const other = await world.documents.company();
  const othersId = await other.appointment();
  await world.documents.models.Customer.collection.updateOne(
    { _id: company.customer._id },
    { $set: { email } },
  );
  const [ownToken, otherToken] = await Promise.all([
    world.token(company.companyId),
    world.token(other.companyId),
  ]);
  const own = await application.client({ token: ownToken, positions: true });
  const position = (await eventually('a position', () => own.received[0])).args[0];
  const strangers = await Promise.all([
    application.client({ token: otherToken }),
    application.client({ token: otherToken, positions: true }),
    // What the client sends names the company of another one.
    application.client({
      token: otherToken,
      position,
      companyId: company.companyId,
      room: `company:${company.companyId}`,
    }),
    application.client({ token: 'guest', companyId: company.companyId, positions: true }),
  ]);
  const answers: unknown[] = [];
  await announce(application, 'first');
  for (const { socket } of strangers.slice(0, 3))
    answers.push(await socket.timeout(5_000).emitWithAck('emissions:catch-up', position));
  const list = `${application.url}/api/v1/dashboard/appointments?companyId=${company.companyId}`;
  answers.push(await (await fetch(list, { headers: { authorization: `Bearer ${otherToken}` } })).json());
  // The last event shows that the ones before have arrived.
  expect(await application.emissions.updated(othersId)).toBe(true);
  await eventually('the stranger’s own event', () =>
    strangers.slice(0, 3).every(({ names }) => names().includes('appointment:updated')),
  );
  await eventually('the company’s own event', () => own.names().includes('appointment:updated'));

  expect(JSON.stringify(own.received)).toContain(email);
  const elsewhere = [...strangers.map(({ received }) => received), answers, application.lines];
  for (const found of elsewhere) expect(JSON.stringify(found)).not.toContain(email);
  expect(JSON.stringify(strangers.map(({ received }) => received))).not.toContain(appointmentId);
});
