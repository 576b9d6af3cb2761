import { afterEach, expect, test } from '@jest/globals';
import { openLightSocket, openMany } from '../../bench/harness/light-socket.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

/** More than are written in one piece. */
const DASHBOARDS = 1_100;
const EMISSIONS = 5;

let world: World;
afterEach(() => world.close());

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
