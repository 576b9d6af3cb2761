import { expect, test } from '@jest/globals';
import { createCompanyTurns } from '../../src/access/company-turns.ts';
import type { Replay, ReplayedEvent } from '../../src/realtime/catch-up.ts';
import { createSendReplay } from '../../src/realtime/send-replay.ts';

const COMPANY = 'c'.repeat(24);

/** Sends replays to sockets. `written`: the arguments of each event, by socket; `encoded`: how often an event was encoded. */
function createGateway() {
  const written = new Map<string, unknown[]>();
  let encoded = 0;
  const io = {
    local: {
      to: (ids: string[]) => ({
        emit: (_event: string, argument: unknown) => {
          encoded += 1;
          for (const id of new Set(ids)) written.set(id, [...(written.get(id) ?? []), argument]);
        },
      }),
    },
  };
  const sendReplay = createSendReplay(
    io as never,
    { caughtUp: () => undefined } as never,
    createCompanyTurns(),
  );
  return {
    written,
    encoded: () => encoded,
    send: (id: string, replay: Replay) =>
      sendReplay(replay, { id, conn: {}, data: { emissions: { companyId: COMPANY } } } as never),
  };
}

/** The events of one read of the log. */
const createEvents = (count: number): ReplayedEvent[] =>
  Array.from(
    { length: count },
    (_, index) =>
      ({ event: 'appointment:updated', payload: `event ${index}`, meta: {} }) as unknown as ReplayedEvent,
  );
const positionAt = (offset: number) => ({ epoch: 'e', offset, recovered: true }) as const;

test('dashboards at different positions share the encoding of each event, and each gets what it missed in order', async () => {
  const { written, encoded, send } = createGateway();
  const events = createEvents(20);
  const position = positionAt(20);
  const missed = [3, 20, 0, 7, 20, 1];
  await Promise.all(
    missed.map((count, index) =>
      send(`socket ${index}`, { events: events.slice(events.length - count), position }),
    ),
  );
  for (const [index, count] of missed.entries()) {
    const expected = events.slice(events.length - count).map(({ payload }) => payload);
    expect(written.get(`socket ${index}`)).toEqual([...expected, position]);
  }
  // The dashboard that missed nothing does not share a read.
  expect(encoded()).toBe(20 + 1 + 1);
});

test('replays of different reads, and incomplete ones, are not mixed', async () => {
  const { written, send } = createGateway();
  const [first, second] = [createEvents(3), createEvents(2)];
  const incomplete = { epoch: 'e', offset: 3, recovered: false, reason: 'gone' } as const;
  await Promise.all([
    send('a', { events: first.slice(1), position: positionAt(3) }),
    send('b', { events: first, position: incomplete }),
    send('c', { events: second, position: positionAt(2) }),
  ]);
  expect(written.get('a')).toEqual(['event 1', 'event 2', positionAt(3)]);
  expect(written.get('b')).toEqual(['event 0', 'event 1', 'event 2', incomplete]);
  expect(written.get('c')).toEqual(['event 0', 'event 1', positionAt(2)]);
});

test('replays for many dashboards are written in pieces, each of them whole', async () => {
  const { written, encoded, send } = createGateway();
  const events = createEvents(99);
  const position = positionAt(99);
  await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      send(`socket ${index}`, { events: events.slice(index % 10), position }),
    ),
  );
  for (let index = 0; index < 50; index += 1)
    expect(written.get(`socket ${index}`)).toEqual([
      ...events.slice(index % 10).map(({ payload }) => payload),
      position,
    ]);
  expect(encoded()).toBeLessThan(50 * 20);
});
