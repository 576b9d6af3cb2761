import { afterEach, expect, test } from '@jest/globals';
import { companyRoom } from '@appointment-emissions/contracts';
import { openLightSocket, openMany } from '../../bench/harness/light-socket.ts';
import { createCompanyTurns } from '../../src/access/company-turns.ts';
import { createDeliverInPieces } from '../../src/realtime/adapter/deliver-in-pieces.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

/** More than are written in one piece. */
const DASHBOARDS = 1_100;
const EMISSIONS = 5;

let world: World | undefined;
afterEach(() => world?.close());

test('each of 1,100 dashboards of a company receives all emissions, in order; a smaller company receives its own', async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  const api = await world.api();
  world.worker();
  const [large, small] = [await world.documents.company(), await world.documents.company()];
  const [ofLarge, ofSmall] = [await large.appointment(), await small.appointment()];
  const token = await world.token(large.companyId);
  const offsets = Array.from({ length: DASHBOARDS }, (): number[] => []);
  let positioned = 0;
  const sockets = await openMany(DASHBOARDS, 100, (index) =>
    openLightSocket({
      ...{ url: api.url, auth: { token } },
      onEvent: (frame) => {
        if (frame.startsWith('["emissions:position"')) positioned += 1;
        const [, offset] = /^\["appointment:.*"offset":(\d+)/.exec(frame) ?? [];
        if (offset !== undefined) offsets[index]!.push(Number(offset));
      },
      onFault: (error) => {
        throw error;
      },
    }),
  );
  world.keep(sockets, () => {
    for (const socket of sockets) socket.terminate();
  });
  await eventually('all positions', () => positioned >= DASHBOARDS, 30_000);
  const other = await world.dashboard(api, small.companyId);

  for (let count = 0; count < EMISSIONS; count += 1) await world.emit(api, 'appointment-updated', ofLarge);
  const emissionId = await world.emit(api, 'appointment-updated', ofSmall);
  await other.receive(({ meta }) => meta.emissionId === emissionId);
  await eventually('all events', () => offsets.every(({ length }) => length >= EMISSIONS), 30_000);
  expect(new Set(offsets.map(String))).toEqual(new Set(['1,2,3,4,5']));
  expect(other.received).toHaveLength(1);
});

const COMPANY = 'c'.repeat(24);
const ROOM = companyRoom(COMPANY);

/** A gateway with 600 dashboards of one company: two pieces for each message. */
function createCrowd() {
  const ids = Array.from({ length: 600 }, (_, index) => `socket ${index}`);
  const sockets = new Map<string, { data: { emissions: { scope?: object } } }>(
    ids.map((id) => [id, { data: { emissions: {} } }]),
  );
  const rooms = new Map([
    [ROOM, new Set(ids)],
    ['scoped', new Set([ids[0]!, ids[550]!])],
  ]);
  const written: { to: string[]; event: string }[] = [];
  const io = {
    of: () => ({ adapter: { rooms }, sockets }),
    local: { to: (to: string[]) => ({ emit: (event: string) => written.push({ to, event }) }) },
  };
  const turns = createCompanyTurns();
  const deliver = createDeliverInPieces({ getIo: () => io as never, turns, reportDamage: () => undefined });
  return {
    ...{ ids, sockets, rooms, written, turns },
    deliver: (event: string, except: string[] = []) =>
      deliver(['', { type: 2, nsp: '/', data: [event] }, { rooms: [ROOM] }], except),
  };
}

test('a socket with a scope never gets a whole message, even if it got the scope just before its piece was written', async () => {
  const { ids, sockets, written, deliver, turns } = createCrowd();
  // Pieces wait from now on.
  void turns.piece('message', COMPANY, () => undefined);
  expect(deliver('event', ['scoped'])).toBe(true);
  sockets.get(ids[1]!)!.data.emissions.scope = {};
  await turns.piece('message', COMPANY, () => undefined);
  expect(written).toHaveLength(2);
  expect(written.flatMap(({ to }) => to)).toEqual(ids.filter((_, index) => ![0, 1, 550].includes(index)));
});

test('a socket that left the room of its company before its piece was written does not get the message', async () => {
  const { ids, rooms, written, deliver, turns } = createCrowd();
  void turns.piece('message', COMPANY, () => undefined);
  deliver('event');
  rooms.get(ROOM)!.delete(ids[1]!);
  await turns.piece('message', COMPANY, () => undefined);
  expect(written.flatMap(({ to }) => to)).toEqual(ids.filter((_, index) => index !== 1));
});

test('if the events of a company arrive faster than they are written, few pieces wait, and all are written in order', async () => {
  const { written, deliver, turns } = createCrowd();
  const events = Array.from({ length: 300 }, (_, index) => `event ${index}`);
  for (const [index, event] of events.entries()) {
    deliver(event);
    expect(2 * (index + 1) - written.length).toBeLessThanOrEqual(102);
  }
  await turns.piece('message', COMPANY, () => undefined);
  expect(written.map(({ event }) => event)).toEqual(events.flatMap((event) => [event, event]));
});
