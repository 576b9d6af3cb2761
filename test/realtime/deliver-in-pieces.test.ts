import { afterEach, expect, test } from '@jest/globals';
import { companyRoom } from '@appointment-emissions/contracts';
import { openLightSocket, openMany } from '../../bench/harness/light-socket.ts';
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

test('a socket with a scope gets no message whole, also if it got the scope before its piece was written', () => {
  const room = companyRoom('c'.repeat(24));
  const ids = Array.from({ length: 600 }, (_, index) => `socket ${index}`);
  const sockets = new Map<string, { data: { emissions: { scope?: object } } }>(
    ids.map((id) => [id, { data: { emissions: {} } }]),
  );
  const rooms = new Map([
    [room, new Set(ids)],
    ['scoped', new Set([ids[0]!, ids[550]!])],
  ]);
  const written: string[] = [];
  const io = {
    of: () => ({ adapter: { rooms }, sockets }),
    local: { to: (recipients: string[]) => ({ emit: () => written.push(...recipients) }) },
  };
  const pieces: (() => unknown)[] = [];
  const deliver = createDeliverInPieces({
    getIo: () => io as never,
    turns: { piece: (_from, run) => Promise.resolve(pieces.push(run)) as never },
    reportDamage: () => undefined,
  });
  expect(deliver(['', { type: 2, nsp: '/', data: ['event'] }, { rooms: [room] }], ['scoped'])).toBe(true);
  sockets.get(ids[1]!)!.data.emissions.scope = {};
  for (const piece of pieces) piece();
  expect(pieces).toHaveLength(2);
  expect(written).toEqual(ids.filter((_, index) => ![0, 1, 550].includes(index)));
});
