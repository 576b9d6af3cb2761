import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AppointmentList, PositionUpdate, StreamPosition } from '@appointment-emissions/contracts';
import type { ReceivedEvent } from '../../packages/dashboard/src/reorder-buffer.ts';
import { createScreen, type Screen } from '../../packages/dashboard/src/screen.ts';
import { Sequence } from '../../packages/dashboard/src/sequence.ts';
import { appointment, meta } from './appointment-fixture.ts';

let screen: Screen;
let sequence: Sequence;
/** The events that changed the screen, as `id offset.read`. */
let shown: string[];

function open(maxBuffered?: number): void {
  screen = createScreen();
  shown = [];
  sequence = new Sequence({
    screen,
    onShown: ({ payload, meta: { offset, read } }) =>
      shown.push(`${payload.appointment._id} ${offset}.${read}`),
    ...(maxBuffered !== undefined && { maxBuffered }),
  });
}
beforeEach(() => {
  open();
});

const at = (offset: number, epoch = 'e'): StreamPosition => ({ epoch, offset });
const update = (offset: number, fields: Partial<PositionUpdate> = {}): PositionUpdate => ({
  ...at(offset),
  recovered: true,
  ...fields,
});
const lost = (offset: number, fields: Partial<PositionUpdate> = {}) =>
  update(offset, { recovered: false, ...fields });
const event = (id: string, offset: number, read = 0, epoch = 'e'): ReceivedEvent => ({
  payload: { appointment: appointment({ _id: id }) },
  meta: meta({ epoch, offset, read }),
});
const deletion = (id: string, offset: number): ReceivedEvent => ({
  payload: { appointment: { _id: id, companyId: '' } },
  meta: meta({ ...at(offset), event: 'appointment:deleted' }),
});
const list = (offset: number, rows: Record<string, number> = {}, epoch = 'e'): AppointmentList => ({
  epoch,
  offset,
  appointments: Object.entries(rows).map(([id, rowOffset]) => ({
    appointment: appointment({ _id: id }),
    offset: rowOffset,
    read: 1,
  })),
});

/** Connects without a position and receives the head. */
function join(offset: number): void {
  sequence.onConnect(undefined);
  sequence.onPosition(update(offset));
}

/** Loses the connection and connects again with the present position. */
function reconnect(): void {
  sequence.onDisconnect();
  sequence.onConnect(sequence.position && { ...sequence.position });
}

describe('the state', () => {
  test('is connecting, then catching-up until the first position, then live', () => {
    expect([sequence.state, sequence.joined, sequence.position]).toEqual(['connecting', false, undefined]);
    sequence.onConnect(undefined);
    expect([sequence.state, sequence.joined, sequence.isBehind]).toEqual(['catching-up', false, false]);
    sequence.onPosition(update(3));
    expect([sequence.state, sequence.joined, sequence.isBehind]).toEqual(['live', true, false]);
    expect(sequence.position).toEqual(at(3));
    expect(sequence.reloadReason).toBeUndefined();
  });

  test('is connecting after a disconnection, and catching-up until the reply to the next handshake', () => {
    join(3);
    sequence.onDisconnect();
    expect([sequence.state, sequence.joined]).toEqual(['connecting', false]);
    sequence.onConnect(at(3));
    expect(sequence.state).toBe('catching-up');
    sequence.onPosition(update(3));
    expect(sequence.state).toBe('live');
  });

  test('is reload-needed while a list is needed, except without a connection', () => {
    join(3);
    sequence.skipGap('gone');
    expect(sequence.state).toBe('reload-needed');
    sequence.onDisconnect();
    expect(sequence.state).toBe('connecting');
  });
});

describe('live events', () => {
  test('are shown at once if none is missing, and move the position', () => {
    join(3);
    sequence.onEvent(event('a', 4));
    sequence.onEvent(event('b', 5));
    expect(shown).toEqual(['a 4.0', 'b 5.0']);
    expect(sequence.position).toEqual(at(5));
    expect(sequence.state).toBe('live');
  });

  test('wait for the first position of the connection', () => {
    sequence.onConnect(undefined);
    sequence.onEvent(event('a', 3));
    expect(shown).toEqual([]);
    sequence.onPosition(update(3));
    expect(shown).toEqual(['a 3.0']);
  });

  test('wait for the first position of a later connection too', () => {
    join(3);
    reconnect();
    sequence.onEvent(event('a', 4));
    expect(shown).toEqual([]);
    sequence.onPosition(update(3));
    expect(shown).toEqual(['a 4.0']);
  });

  test('after a gap wait until the missing one arrives', () => {
    join(3);
    sequence.onEvent(event('c', 6));
    expect([sequence.isBehind, sequence.state]).toEqual([true, 'catching-up']);
    sequence.onEvent(event('a', 4));
    expect(shown).toEqual(['a 4.0']);
    expect(sequence.isBehind).toBe(true);
    sequence.onEvent(event('b', 5));
    expect(shown).toEqual(['a 4.0', 'b 5.0', 'c 6.0']);
    expect([sequence.isBehind, sequence.state]).toEqual([false, 'live']);
  });

  test('that arrive twice are shown once', () => {
    join(3);
    sequence.onEvent(event('a', 4));
    sequence.onEvent(event('a', 4));
    expect(shown).toEqual(['a 4.0']);
    expect(sequence.position).toEqual(at(4));
  });

  test('remove a deleted appointment', () => {
    join(3);
    sequence.onEvent(event('a', 4));
    sequence.onEvent(deletion('a', 5));
    expect([...screen.rows.keys()]).toEqual([]);
    expect(shown).toEqual(['a 4.0', 'a 5.0']);
  });

  test('of another epoch require a catch-up, whose reply says which epoch is current', () => {
    join(3);
    sequence.onEvent(event('a', 1, 0, 'f'));
    expect([sequence.state, shown]).toEqual(['catching-up', []]);
    sequence.onReply(at(3), lost(1, { epoch: 'f', reason: 'epoch' }));
    expect([sequence.position, sequence.reloadReason, shown]).toEqual([at(1, 'f'), 'epoch', ['a 1.0']]);
  });

  test('of an obsolete epoch are dropped by the reply', () => {
    join(3);
    sequence.onEvent(event('a', 9, 0, 'd'));
    sequence.onReply(at(3), update(3));
    expect([sequence.state, shown]).toEqual(['live', []]);
    sequence.onEvent(event('b', 4));
    expect(shown).toEqual(['b 4.0']);
  });

  test('that a disconnection interrupts behind a gap are dropped, since the next replay contains them', () => {
    join(3);
    sequence.onEvent(event('a', 9));
    reconnect();
    sequence.onPosition(update(3));
    expect([sequence.state, shown]).toEqual(['live', []]);
    sequence.onEvent(event('b', 4));
    expect(shown).toEqual(['b 4.0']);
  });

  test('cause a reload if more are buffered than allowed', () => {
    open(2);
    join(3);
    sequence.onEvent(event('a', 5));
    sequence.onEvent(event('b', 7));
    expect([sequence.reloadReason, shown]).toEqual([undefined, []]);
    sequence.onEvent(event('c', 6));
    expect(sequence.reloadReason).toBe('too-many');
    expect(shown).toEqual(['a 5.0', 'c 6.0', 'b 7.0']);
    expect(sequence.position).toEqual(at(7));
  });
});

describe('replays', () => {
  test('are shown at once if no catch-up is needed', () => {
    join(3);
    sequence.onEvent(event('a', 3, 1));
    expect([shown, sequence.position]).toEqual([['a 3.1'], at(3)]);
  });

  test('wait for the reply of their catch-up, and then come before later live events', () => {
    join(3);
    sequence.onEvent(event('c', 6));
    sequence.onEvent(event('a', 5, 1));
    expect(shown).toEqual([]);
    sequence.onReply(at(3), update(5));
    expect([shown, sequence.position, sequence.state]).toEqual([['a 5.1', 'c 6.0'], at(6), 'live']);
  });

  test('that are newer than the position reveal a gap', () => {
    join(3);
    sequence.onEvent(event('a', 5, 1));
    expect([shown, sequence.isBehind]).toEqual([['a 5.1'], true]);
  });

  test('behind a gap stay buffered when a late live event arrives, until the gap is closed', () => {
    join(3);
    sequence.onPosition(update(5));
    sequence.onEvent(event('b', 5, 1));
    sequence.onEvent(event('a', 4));
    expect(shown).toEqual(['a 4.0']);
    sequence.onEvent(event('c', 5));
    expect(shown).toEqual(['a 4.0', 'c 5.0', 'b 5.1']);
  });
});

describe('a periodic position', () => {
  beforeEach(() => {
    join(3);
  });

  test('with a higher offset reveals a gap', () => {
    sequence.onPosition(update(4));
    expect(sequence.isBehind).toBe(true);
    sequence.onEvent(event('a', 4));
    expect(sequence.isBehind).toBe(false);
  });

  test('with the same offset changes nothing', () => {
    sequence.onPosition(update(3));
    expect([sequence.isBehind, sequence.position]).toEqual([false, at(3)]);
  });

  test.each([
    ['of another epoch', update(3, { epoch: 'f' })],
    ['that is not recovered', lost(3)],
  ])('%s requires a catch-up', (_, position) => {
    sequence.onPosition(position);
    expect([sequence.isBehind, sequence.position, sequence.reloadReason]).toEqual([true, at(3), undefined]);
  });

  test('may be overtaken by an event once, but not twice', () => {
    sequence.onEvent(event('a', 4));
    sequence.onPosition(update(3));
    expect(sequence.isBehind).toBe(false);
    sequence.onPosition(update(4));
    expect(sequence.isBehind).toBe(false);
    sequence.onPosition(update(3));
    expect(sequence.isBehind).toBe(true);
    sequence.onReply(at(4), update(4));
    expect(sequence.isBehind).toBe(false);
  });

  test('below what was received after the one before is accepted', () => {
    sequence.onPosition(update(3));
    for (const offset of [4, 5, 6]) sequence.onEvent(event('a', offset));
    sequence.onPosition(update(3));
    expect(sequence.isBehind).toBe(false);
  });
});

describe('the first position of a later connection', () => {
  beforeEach(() => {
    join(3);
    reconnect();
  });

  test('is a periodic one if emissions were missed and none was replayed: a catch-up is needed', () => {
    sequence.onPosition(update(5));
    expect([sequence.joined, sequence.isBehind, sequence.position]).toEqual([true, true, at(3)]);
  });

  test('completes the replay that came before it', () => {
    sequence.onEvent(event('a', 5, 1));
    sequence.onPosition(update(5));
    expect([sequence.state, sequence.position, shown]).toEqual(['live', at(5), ['a 5.1']]);
  });

  test.each(['trimmed', 'too-many', 'gone', 'invalid', 'epoch'] as const)(
    'that is not recovered for the reason %s requires a list',
    (reason) => {
      sequence.onPosition(lost(5, { reason }));
      expect([sequence.state, sequence.reloadReason]).toEqual(['reload-needed', reason]);
      expect([sequence.position, sequence.isBehind]).toEqual([at(5), false]);
    },
  );

  test.each(['unavailable', 'rate-limited'] as const)(
    'that is not recovered for the reason %s requires a catch-up',
    (reason) => {
      sequence.onPosition(lost(5, { reason }));
      expect([sequence.state, sequence.reloadReason]).toEqual(['catching-up', undefined]);
      expect([sequence.position, sequence.isBehind]).toEqual([at(3), true]);
    },
  );

  test('of another epoch requires a list even if it claims to be recovered', () => {
    sequence.onPosition(update(2, { epoch: 'f' }));
    expect([sequence.reloadReason, sequence.position]).toEqual(['epoch', at(2, 'f')]);
  });
});

test('a first position that is temporarily unavailable is ignored, and the next one counts', () => {
  sequence.onConnect(undefined);
  sequence.onPosition(lost(0, { epoch: '', reason: 'unavailable' }));
  expect([sequence.position, sequence.joined]).toEqual([undefined, false]);
  sequence.onPosition(update(3));
  expect([sequence.position, sequence.state]).toEqual([at(3), 'live']);
});

test('a first position that is not recovered requires a list', () => {
  sequence.onConnect(undefined);
  sequence.onPosition(lost(3));
  expect([sequence.reloadReason, sequence.position]).toEqual(['gone', at(3)]);
});

describe('emissions:passed', () => {
  test('moves the position over emissions that are not for this dashboard', () => {
    join(3);
    sequence.onEvent(event('a', 6));
    sequence.onPassed(at(5));
    expect([shown, sequence.position, sequence.state]).toEqual([['a 6.0'], at(6), 'live']);
  });

  test('below the position changes nothing', () => {
    join(3);
    sequence.onPassed(at(2));
    expect([sequence.position, sequence.isBehind]).toEqual([at(3), false]);
  });

  test('above all known offsets leaves no gap', () => {
    join(3);
    sequence.onPassed(at(8));
    expect([sequence.position, sequence.state]).toEqual([at(8), 'live']);
  });

  test('that leaves a gap open does not show replays', () => {
    join(3);
    sequence.onPosition(update(8));
    sequence.onEvent(event('a', 8, 1));
    sequence.onPassed(at(5));
    expect([shown, sequence.isBehind]).toEqual([[], true]);
    sequence.onPassed(at(8));
    expect([shown, sequence.isBehind]).toEqual([['a 8.1'], false]);
  });

  test('of another epoch requires a catch-up', () => {
    join(3);
    sequence.onPassed(at(5, 'f'));
    expect([sequence.position, sequence.isBehind]).toEqual([at(3), true]);
  });

  test('before the first position of a connection is ignored', () => {
    sequence.onConnect(undefined);
    sequence.onPassed(at(5));
    expect(sequence.position).toBeUndefined();
    sequence.onPosition(update(3));
    reconnect();
    sequence.onPassed(at(5));
    expect(sequence.position).toEqual(at(3));
  });
});

describe('the reply to a catch-up', () => {
  beforeEach(() => {
    join(3);
  });

  test('closes the gap up to its offset, and no further', () => {
    sequence.onEvent(event('a', 9));
    sequence.onReply(at(3), update(5));
    expect([sequence.position, sequence.isBehind, shown]).toEqual([at(5), true, []]);
    sequence.onReply(at(5), update(8));
    expect([sequence.position, sequence.isBehind, shown]).toEqual([at(9), false, ['a 9.0']]);
  });

  test('does not move the position back behind events that were shown since the request', () => {
    sequence.onEvent(event('a', 4));
    sequence.onReply(at(3), update(3));
    expect([sequence.position, sequence.state]).toEqual([at(4), 'live']);
  });

  test.each([
    ['of another epoch', list(1, {}, 'f'), at(3)],
    ['with a lower offset', undefined, at(4)],
    ['that was not sent', undefined, undefined],
  ])('does not apply to a position %s: another catch-up is needed', (_, changed, from) => {
    if (changed) sequence.applyList(changed);
    const before = { ...sequence.position };
    sequence.onReply(from, update(7));
    expect([sequence.isBehind, sequence.position, sequence.reloadReason]).toEqual([true, before, undefined]);
  });

  test('ends a doubt about the position', () => {
    sequence.onNoReply();
    expect(sequence.isBehind).toBe(true);
    sequence.onReply(at(3), update(3));
    expect(sequence.state).toBe('live');
  });

  test('that is temporarily unavailable leaves the gap open', () => {
    sequence.onReply(at(3), lost(3, { reason: 'unavailable' }));
    expect([sequence.isBehind, sequence.reloadReason]).toEqual([true, undefined]);
  });

  test('that is recovered needs no list, whatever its reason', () => {
    sequence.onReply(at(3), update(4, { reason: 'unavailable' }));
    expect([sequence.position, sequence.state]).toEqual([at(4), 'live']);
  });

  test('below the requested position: higher offsets were never the server’s', () => {
    sequence.onEvent(event('a', 4));
    sequence.onEvent(event('x', 9));
    sequence.onReply(at(4), update(2));
    expect([sequence.position, sequence.reloadReason, sequence.isBehind]).toEqual([at(2), 'invalid', false]);
    sequence.onEvent(event('a', 3));
    sequence.onEvent(event('b', 4));
    expect(shown).toEqual(['a 4.0', 'a 3.0', 'b 4.0']);
  });

  test('below the requested position drops higher live events that wait, and shows replays', () => {
    reconnect();
    sequence.onEvent(event('x', 5));
    sequence.onEvent(event('a', 2, 1));
    sequence.onReply(at(3), update(2));
    expect(shown).toEqual(['a 2.1']);
    sequence.onPassed(at(6));
    expect(shown).toEqual(['a 2.1']);
  });

  test('below the requested position has the server’s reason, if it gives one', () => {
    sequence.onReply(at(3), lost(2, { reason: 'trimmed' }));
    expect(sequence.reloadReason).toBe('trimmed');
  });

  test('in another epoch is not compared with the requested offset', () => {
    sequence.onReply(at(3), lost(1, { epoch: 'f', reason: 'trimmed' }));
    expect([sequence.position, sequence.reloadReason]).toEqual([at(1, 'f'), 'trimmed']);
  });
});

test('a connection that ends before its first position changes nothing', () => {
  sequence.onConnect(undefined);
  sequence.onDisconnect();
  expect([sequence.position, sequence.isBehind, sequence.state]).toEqual([undefined, false, 'connecting']);
});

describe('no reply', () => {
  test('to the handshake starts a catch-up', () => {
    join(3);
    reconnect();
    sequence.onNoReply();
    expect([sequence.joined, sequence.isBehind]).toEqual([true, true]);
  });

  test('changes nothing without a connection or without a position', () => {
    sequence.onConnect(undefined);
    sequence.onNoReply();
    expect([sequence.joined, sequence.isBehind]).toEqual([false, false]);
    sequence.onPosition(update(3));
    sequence.onDisconnect();
    sequence.onNoReply();
    expect([sequence.joined, sequence.isBehind]).toEqual([false, false]);
  });
});

describe('a gap that catch-ups leave open', () => {
  test('is skipped: what is buffered is shown, and a list is needed', () => {
    join(3);
    sequence.onEvent(event('a', 6));
    sequence.onFutileCatchUps();
    expect([shown, sequence.position, sequence.isBehind]).toEqual([['a 6.0'], at(6), false]);
    expect(sequence.reloadReason).toBe('unavailable');
  });

  test('up to an announced head is skipped to that head', () => {
    join(3);
    sequence.onPosition(update(7));
    sequence.onFutileCatchUps();
    expect([sequence.position, sequence.reloadReason]).toEqual([at(7), 'unavailable']);
  });

  test('after a list that does not confirm the head shows that the head is wrong', () => {
    join(3);
    sequence.applyList(list(3, { a: 9 }));
    expect(sequence.isBehind).toBe(true);
    sequence.onFutileCatchUps();
    expect([sequence.position, sequence.isBehind]).toEqual([at(3), false]);
    expect(sequence.reloadReason).toBe('unavailable');
    sequence.onEvent(event('a', 4));
    expect(shown).toEqual(['a 4.0']);
  });

  test('after a list, up to a head that became known later, is skipped', () => {
    join(3);
    sequence.applyList(list(3, { a: 9 }));
    sequence.onPosition(update(10));
    sequence.onFutileCatchUps();
    expect(sequence.position).toEqual(at(10));
  });

  test('after a list that confirmed the head is skipped', () => {
    join(3);
    sequence.applyList(list(3));
    sequence.onPosition(update(5));
    sequence.onFutileCatchUps();
    expect(sequence.position).toEqual(at(5));
  });

  test('is skipped with the replays that wait for the reply', () => {
    join(3);
    sequence.onPosition(update(5));
    sequence.onEvent(event('a', 5, 1));
    sequence.onFutileCatchUps();
    expect(shown).toEqual(['a 5.1']);
  });

  test('is a mere doubt about the position if a list confirmed the head: replays are shown', () => {
    join(3);
    sequence.applyList(list(3));
    sequence.onNoReply();
    sequence.onEvent(event('a', 4, 1));
    sequence.onFutileCatchUps();
    expect(shown).toEqual(['a 4.1']);
  });

  test('after a list that was loaded without a connection shows that the head is wrong', () => {
    join(10);
    sequence.onDisconnect();
    sequence.applyList(list(8));
    sequence.onConnect(at(8));
    sequence.onNoReply();
    sequence.onEvent(event('a', 9, 1));
    sequence.onFutileCatchUps();
    expect([sequence.position, shown]).toEqual([at(8), []]);
  });

  test('is given up without a position too: buffered events are dropped', () => {
    sequence.onConnect(undefined);
    sequence.onEvent(event('a', 3));
    sequence.onFutileCatchUps();
    expect([sequence.position, sequence.reloadReason]).toEqual([undefined, 'unavailable']);
    sequence.onPosition(update(3));
    expect(shown).toEqual([]);
  });

  test('leaves no doubt about the position when it is skipped', () => {
    join(3);
    sequence.onNoReply();
    sequence.skipGap('too-many');
    expect([sequence.isBehind, sequence.reloadReason]).toEqual([false, 'too-many']);
  });

  test('is not skipped to the buffered offset of another epoch', () => {
    join(3);
    sequence.onEvent(event('a', 9, 0, 'f'));
    sequence.skipGap('gone');
    expect(sequence.position).toEqual(at(3));
  });
});

describe('a list', () => {
  test('before the first connection sets the position', () => {
    expect(sequence.applyList(list(5, { a: 4 }))).toBe(true);
    expect([sequence.position, sequence.state, [...screen.rows.keys()]]).toEqual([
      at(5),
      'connecting',
      ['a'],
    ]);
    sequence.onConnect(at(5));
    sequence.onPosition(update(5));
    expect(sequence.state).toBe('live');
  });

  test('does not show events that wait for the first position', () => {
    sequence.onConnect(undefined);
    sequence.onEvent(event('a', 6));
    sequence.applyList(list(5));
    expect(shown).toEqual([]);
  });

  test('ends the need for a reload', () => {
    join(3);
    sequence.skipGap('gone');
    sequence.applyList(list(3));
    expect([sequence.reloadReason, sequence.state]).toEqual([undefined, 'live']);
  });

  test('closes a gap that it covers, and shows the live events that follow; replays wait for their reply', () => {
    join(3);
    sequence.onEvent(event('a', 6));
    sequence.onEvent(event('b', 5, 2));
    sequence.applyList(list(5, { b: 5 }));
    expect([sequence.position, shown, sequence.isBehind]).toEqual([at(6), ['a 6.0'], false]);
    sequence.onReply(at(3), update(5));
    expect(shown).toEqual(['a 6.0', 'b 5.2']);
  });

  test('that leaves the gap open holds replays', () => {
    join(3);
    sequence.onEvent(event('a', 6));
    sequence.onEvent(event('b', 6, 1));
    sequence.applyList(list(4));
    expect([sequence.position, shown, sequence.isBehind]).toEqual([at(4), [], true]);
  });

  test('with rows above its offset needs no catch-up before the connection', () => {
    sequence.applyList(list(5, { a: 7 }));
    expect(sequence.isBehind).toBe(false);
    sequence.onConnect(at(5));
    expect(sequence.isBehind).toBe(false);
  });

  test('that is older than the position does not move it back, also after a catch-up', () => {
    join(3);
    sequence.onReply(at(3), update(8));
    sequence.applyList(list(5));
    expect(sequence.position).toEqual(at(8));
  });

  test('that is older than a skipped gap needs no catch-up if the events after it arrive', () => {
    join(3);
    sequence.onPosition(update(6));
    sequence.skipGap('too-many');
    sequence.applyList(list(5));
    expect(sequence.isBehind).toBe(true);
    sequence.onEvent(event('a', 6));
    expect([sequence.position, sequence.state]).toEqual([at(6), 'live']);
  });

  test('that is older than the position does not move it back', () => {
    join(3);
    sequence.onEvent(event('a', 4));
    sequence.applyList(list(3));
    expect([sequence.position, sequence.isBehind]).toEqual([at(4), false]);
  });

  test('that is older than a skipped gap leaves it open', () => {
    join(3);
    sequence.onPosition(update(8));
    sequence.skipGap('gone');
    sequence.applyList(list(6));
    expect([sequence.position, sequence.isBehind]).toEqual([at(6), true]);
    sequence.onReply(at(6), update(8));
    expect([sequence.position, sequence.isBehind]).toEqual([at(8), false]);
  });

  test('that is older than a gap which the server cannot replay leaves it open', () => {
    join(3);
    reconnect();
    sequence.onPosition(lost(8, { reason: 'trimmed' }));
    sequence.applyList(list(6));
    expect([sequence.position, sequence.isBehind]).toEqual([at(6), true]);
  });

  test('exactly at the end of a skipped gap closes it', () => {
    join(3);
    sequence.skipGap('gone');
    sequence.onEvent(event('a', 4));
    sequence.applyList(list(3));
    expect([sequence.position, sequence.isBehind]).toEqual([at(4), false]);
  });

  test('with rows above its offset reveals a gap', () => {
    join(3);
    sequence.applyList(list(3, { a: 5, b: 4 }));
    expect(sequence.isBehind).toBe(true);
    sequence.onReply(at(3), update(5));
    expect(sequence.isBehind).toBe(false);
  });

  test('of another epoch is shown, and needs a catch-up to confirm it', () => {
    join(3);
    expect(sequence.applyList(list(1, { a: 1 }, 'f'))).toBe(true);
    expect([sequence.position, sequence.isBehind, sequence.state]).toEqual([at(1, 'f'), true, 'catching-up']);
    sequence.onReply(at(1, 'f'), update(1, { epoch: 'f' }));
    expect(sequence.state).toBe('live');
  });

  test('of another epoch without a connection is confirmed by the next handshake', () => {
    sequence.applyList(list(3));
    sequence.applyList(list(1, {}, 'f'));
    sequence.onConnect(at(1, 'f'));
    sequence.onPosition(update(1, { epoch: 'f' }));
    expect(sequence.state).toBe('live');
  });

  test('of another epoch may be older than an event that was shown since its request: it is not shown', () => {
    join(3);
    sequence.onListRequest();
    sequence.onEvent(event('a', 4));
    expect(sequence.applyList(list(9, { b: 9 }, 'd'))).toBe(false);
    expect([[...screen.rows.keys()], sequence.reloadReason]).toEqual([['a'], 'epoch']);
    expect([sequence.position, sequence.isBehind]).toEqual([at(4), true]);
    sequence.onListRequest();
    expect(sequence.applyList(list(9, { b: 9 }, 'd'))).toBe(true);
  });

  test('that is not shown leaves the reason for the reload, and without a connection no doubt', () => {
    join(3);
    sequence.onListRequest();
    sequence.onEvent(event('a', 4));
    sequence.skipGap('gone');
    sequence.onDisconnect();
    expect(sequence.applyList(list(9, {}, 'd'))).toBe(false);
    expect(sequence.reloadReason).toBe('gone');
    sequence.onConnect(at(4));
    expect(sequence.isBehind).toBe(false);
  });

  test('of the same epoch is shown although events were shown since its request', () => {
    join(3);
    sequence.onListRequest();
    sequence.onEvent(event('a', 4));
    expect(sequence.applyList(list(4, { a: 4, b: 2 }))).toBe(true);
    expect([...screen.rows.keys()]).toEqual(['a', 'b']);
  });

  test('of another epoch is shown if the events since its request changed nothing', () => {
    join(3);
    sequence.applyList(list(5, { a: 5 }));
    sequence.onListRequest();
    sequence.onEvent(event('a', 5));
    expect(sequence.applyList(list(1, {}, 'f'))).toBe(true);
  });
});

describe('a token with another scope', () => {
  beforeEach(() => {
    join(3);
  });

  test('requires a list, and drops buffered events, which may be outside of it', () => {
    sequence.onEvent(event('a', 5));
    sequence.onOtherScope(true);
    expect(sequence.reloadReason).toBe('scope');
    sequence.applyList(list(4));
    expect([shown, sequence.reloadReason]).toEqual([[], undefined]);
  });

  test('refuses a list that was requested with the former scope', () => {
    sequence.onListRequest();
    sequence.onOtherScope(false);
    expect(sequence.applyList(list(3, { a: 3 }))).toBe(false);
    expect([sequence.reloadReason, [...screen.rows.keys()]]).toEqual(['scope', []]);
    sequence.onListRequest();
    expect(sequence.applyList(list(3, { a: 3 }))).toBe(true);
  });
});
