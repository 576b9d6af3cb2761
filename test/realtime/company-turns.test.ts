import { type AddressInfo, connect, createServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { mongo } from 'mongoose';
import { createCompanyTurns } from '../../src/access/company-turns.ts';
import { createPieceTurns } from '../../src/access/piece-turns.ts';
import { createRests } from '../../src/access/rounds.ts';
import { until } from '../harness/until.ts';

const [CROWD, OTHER] = ['c'.repeat(24), 'a'.repeat(24)] as const;

/** Reads that end when the test ends them, in the order in which they started. */
function createReads() {
  const turns = createCompanyTurns();
  const started: string[] = [];
  const ends: (() => void)[] = [];
  return {
    turns,
    started,
    read: (companyId: string, name = companyId): Promise<void> =>
      turns.read('list', companyId, () => {
        started.push(name);
        return new Promise((resolve) => ends.push(resolve));
      }),
    endNext: async (): Promise<void> => {
      ends.shift()?.();
      await nextTurn();
    },
  };
}

test('reads of one company run one at a time and in order; reads of another company do not wait for them', async () => {
  const { read, started, endNext, turns } = createReads();
  for (let n = 0; n < 20; n += 1) void read(CROWD, `crowd ${n}`);
  void read(OTHER);
  expect(started).toEqual(['crowd 0', OTHER]);
  await endNext();
  expect(started).toEqual(['crowd 0', OTHER, 'crowd 1']);
  await endNext();
  expect(started).toHaveLength(3);
  await endNext();
  expect(started.at(-1)).toBe('crowd 2');
  expect([...turns.delayedReads()]).toEqual([[CROWD, 19]]);
});

test('at most 32 reads run at the same time; for further ones companies take turns', async () => {
  const { read, started, endNext } = createReads();
  const companies = Array.from({ length: 34 }, (_, n) => n.toString(16).padStart(24, '0'));
  for (const companyId of [...companies, ...companies]) void read(companyId);
  expect(started).toEqual(companies.slice(0, 32));
  for (let n = 0; n < 4; n += 1) await endNext();
  expect(started).toEqual([...companies, companies[0], companies[1]]);
});

test('a read that fails rejects its own request, and the next one runs', async () => {
  const turns = createCompanyTurns();
  const failed = turns.read('list', CROWD, () => Promise.reject(new Error('no')));
  const next = turns.read('list', CROWD, () => Promise.resolve('yes'));
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

test('if MongoDB does not answer a read, the reads behind it fail too, and later reads run', async () => {
  const turns = createCompanyTurns();
  const error = new mongo.MongoServerSelectionError('no server', {} as never);
  let tries = 0;
  const fail = async () => {
    tries += 1;
    await pause(1);
    throw error;
  };
  const failed = Promise.allSettled(Array.from({ length: 10 }, () => turns.read('list', CROWD, fail)));
  const [replay, other] = [
    turns.read('replay', CROWD, () => Promise.resolve('replay')),
    turns.read('list', OTHER, () => pause(1).then(() => 'list')),
  ];
  expect(new Set((await failed).map((result) => 'reason' in result && result.reason === error))).toEqual(
    new Set([true]),
  );
  expect(tries).toBe(1);
  expect([await replay, await other]).toEqual(['replay', 'list']);
  expect(await turns.read('list', CROWD, () => Promise.resolve('later'))).toBe('later');
});

test('at most 500 reads of one company wait; further ones are refused, but not those of other companies', async () => {
  const { read, endNext, started } = createReads();
  void read(CROWD);
  for (let n = 0; n < 500; n += 1) void read(CROWD);
  await expect(read(CROWD)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 1 });
  void read(OTHER);
  expect(started).toEqual([CROWD, OTHER]);
  await endNext();
  void read(CROWD);
  await expect(read(CROWD)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
});

test('a replay does not wait behind the lists of its company', async () => {
  const { read, started, turns } = createReads();
  for (let n = 0; n < 501; n += 1) void read(CROWD);
  await expect(read(CROWD)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  expect(await turns.read('replay', CROWD, () => Promise.resolve('replayed'))).toBe('replayed');
  expect(started).toEqual([CROWD]);
});

/** Takes the whole time of a slice. */
function work(): void {
  const end = performance.now() + 3;
  while (performance.now() < end);
}

test('pieces of a company do not delay pieces of another company, or the event loop', async () => {
  const turns = createCompanyTurns();
  const done: string[] = [];
  const piece = (from: string) =>
    turns.piece('handshake', from, () => {
      work();
      done.push(from);
    });
  const crowd = Array.from({ length: 50 }, () => piece(CROWD));
  let doneAtTimer = 0;
  void pause(1).then(() => (doneAtTimer = done.length));
  await piece(OTHER);
  expect(done.length).toBeLessThanOrEqual(3);
  await Promise.all(crowd);
  expect(done).toHaveLength(51);
  expect(doneAtTimer).toBeGreaterThan(0);
  expect(doneAtTimer).toBeLessThan(10);
});

test('a piece runs at once if none waits, and its caller gets its error', async () => {
  const turns = createCompanyTurns();
  let ran = 0;
  const first = turns.piece('handshake', CROWD, () => (ran += 1));
  expect(ran).toBe(1);
  const failed = turns.piece('handshake', CROWD, () => {
    throw new Error('no');
  });
  const last = turns.piece('handshake', CROWD, () => 'yes');
  expect(await first).toBe(1);
  await expect(failed).rejects.toThrow('no');
  expect(await last).toBe('yes');
});

/** Turns whose clock stands still, except while a piece or a read works. The event loop is always busy. */
function createBusyTurns() {
  let now = 5_000;
  const pass = (ms: number): void => {
    now += ms;
  };
  const turns = createCompanyTurns({ now: () => now, readUtilization: () => 1 });
  const piece = (companyId: string, ms = 1): Promise<void> =>
    turns.piece('handshake', companyId, () => {
      pass(ms);
    });
  /** Until the crowd is over its share. */
  const workForCrowd = async (): Promise<void> => {
    await piece(OTHER);
    for (let n = 0; n < 2; n += 1) await piece(CROWD, 4);
    for (let n = 0; n < 3; n += 1) await nextTurn();
  };
  return { turns, pass, piece, workForCrowd };
}

const runsAtOnce = (start: (run: () => void) => unknown): boolean => {
  let ran = false;
  void start(() => (ran = true));
  return ran;
};

test('a company that uses most of a busy event loop rests, and pieces of the others run at once', async () => {
  const { turns, pass, workForCrowd } = createBusyTurns();
  await workForCrowd();
  let ran = false;
  const resting = turns.piece('handshake', CROWD, () => (ran = true));
  const startPiece = (companyId: string, run: () => void) => turns.piece('list', companyId, run);
  for (const start of [startPiece, turns.handshake]) {
    for (let n = 0; n < 3; n += 1) await nextTurn();
    expect(runsAtOnce((run) => start(OTHER, run))).toBe(true);
  }
  expect(ran).toBe(false);
  pass(200);
  await until('the piece after the rest', resting);
});

test('while one company rests, the pieces of another one still run in slices', async () => {
  const { turns, pass, workForCrowd } = createBusyTurns();
  await workForCrowd();
  void turns.piece('handshake', CROWD, () => undefined);
  await nextTurn();
  let ran = 0;
  const handshakes = Array.from({ length: 100 }, () =>
    turns.handshake('address', () => {
      ran += 1;
      pass(3);
    }),
  );
  expect(ran).toBe(1);
  await nextTurn();
  expect(ran).toBeLessThan(10);
  await until('the handshakes', Promise.all(handshakes));
});

test('a company alone does not rest', async () => {
  const { turns, piece } = createBusyTurns();
  for (let n = 0; n < 20; n += 1) await until('the next piece', piece(CROWD, 10));
  for (let n = 0; n < 20; n += 1)
    await until(
      'the next read',
      turns.read('list', CROWD, () => piece(CROWD, 10)),
    );
});

test('live events count as use: a crowd rests beside companies that only receive live events', async () => {
  const { turns, pass, piece } = createBusyTurns();
  turns.delivered(OTHER);
  for (let n = 0; n < 2; n += 1) await piece(CROWD, 4);
  for (let n = 0; n < 3; n += 1) await nextTurn();
  let ran = false;
  const resting = turns.piece('handshake', CROWD, () => (ran = true));
  expect(ran).toBe(false);
  pass(200);
  await until('the piece after the rest', resting);
});

test('messages of a company over its share never rest', async () => {
  const { turns, pass, workForCrowd } = createBusyTurns();
  await workForCrowd();
  let ran = false;
  const handshake = turns.piece('handshake', CROWD, () => (ran = true));
  const passTurns = async (): Promise<void> => {
    for (let n = 0; n < 3; n += 1) await nextTurn();
  };
  await passTurns();
  for (let n = 0; n < 3; n += 1) {
    expect(runsAtOnce((run) => turns.piece('message', CROWD, run))).toBe(true);
    await passTurns();
  }
  expect(ran).toBe(false);
  pass(200);
  await until('the handshake after the rest', handshake);
});

test('a handshake and a piece of a list of a company over its share rest for its messages, too', async () => {
  for (const kind of ['handshake', 'list'] as const) {
    const { turns, pass, workForCrowd } = createBusyTurns();
    await workForCrowd();
    pass(200);
    await turns.piece('message', CROWD, () => {
      pass(4);
    });
    await nextTurn();
    // With a hundredth of a millisecond of its own it would not rest.
    await until(
      'the piece',
      turns.piece(kind, CROWD, () => {
        pass(0.01);
      }),
    );
    await nextTurn();
    let ran = false;
    const resting = turns.piece(kind, CROWD, () => (ran = true));
    await nextTurn();
    expect(ran).toBe(false);
    pass(200);
    await until('the piece after the rest', resting);
  }
});

test('what is owed begins no rest, and prolongs the next one up to the limit', () => {
  let now = 0;
  const rests = createRests(() => now, 50);
  rests.owe(CROWD, 10);
  expect(rests.has(CROWD)).toBe(false);
  expect([rests.add(CROWD, 3), rests.has(CROWD)]).toEqual([13, true]);
  now = 5;
  rests.owe(CROWD, 1_000);
  now = 13;
  expect(rests.has(CROWD)).toBe(false);
  expect(rests.add(CROWD, 3)).toBe(50);
  now = 63;
  expect([rests.add(CROWD, 3), rests.has(CROWD)]).toEqual([0, false]);
  expect(rests.add(CROWD, 3)).toBe(6);
});

test('handshakes of a crowd that have waited for 4 s no longer rest', async () => {
  let now = 0;
  const pieces = createPieceTurns({ now: () => now, onUsed: () => undefined, restMsOf: () => 200 });
  const handshakes = Array.from(
    { length: 50 },
    () =>
      new Promise<void>((run) => {
        pieces.run({ kind: 'handshake', from: CROWD, run });
      }),
  );
  await handshakes[0];
  let ran = false;
  void handshakes[1]!.then(() => (ran = true));
  for (let n = 0; n < 3; n += 1) await nextTurn();
  expect(ran).toBe(false);
  now += 4_000;
  await until('all handshakes', Promise.all(handshakes));
});

test('messages and lists of a company do not wait for its handshakes', async () => {
  const turns = createCompanyTurns();
  const done: string[] = [];
  const piece = (kind: 'handshake' | 'message' | 'list') =>
    turns.piece(kind, CROWD, () => {
      work();
      done.push(kind);
    });
  const handshakes = Array.from({ length: 20 }, () => piece('handshake'));
  await Promise.all([piece('message'), piece('list')]);
  expect(done.length).toBeLessThanOrEqual(5);
  // Before its turn a message runs, and nothing else does.
  const message = piece('message');
  const before = done.length;
  expect([turns.runNextMessage(CROWD), turns.runNextMessage(CROWD)]).toEqual([true, false]);
  expect(done.slice(before)).toEqual(['message']);
  await Promise.all([message, ...handshakes]);
});

/**
 * Opens 20 connections together while pieces wait, each of which takes a slice.
 * @param acceptMs  how long the server works for each connection
 * @returns how many pieces ran before the last connection was accepted
 */
async function countPiecesBeforeAccepted(acceptMs: number): Promise<number> {
  let now = 0;
  let ran = 0;
  const turns = createCompanyTurns({ now: () => now });
  const server = createServer().listen(0, '127.0.0.1');
  await until('the server', new Promise((resolve) => server.once('listening', resolve)));
  const { port } = server.address() as AddressInfo;
  let accepted = 0;
  const allAccepted = new Promise<number>((resolve) => {
    server.on('connection', () => {
      turns.accepted();
      now += acceptMs;
      accepted += 1;
      if (accepted === 20) resolve(ran);
    });
  });
  const clients = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'));
  for (let n = 0; n < 100; n += 1)
    void turns.piece('handshake', CROWD, () => {
      now += 3;
      ran += 1;
    });
  const before = await until('the connections', allAccepted);
  for (const client of clients) client.destroy();
  server.close();
  return before;
}

test('connections that wait are accepted before the next pieces, for at most 20 ms', async () => {
  expect(await countPiecesBeforeAccepted(0)).toBeLessThan(10);
  expect(await countPiecesBeforeAccepted(20)).toBeGreaterThan(10);
});

test('companies that have rested are forgotten', () => {
  let now = 0;
  const rests = createRests(() => now, 200);
  for (let n = 0; n < 1_000; n += 1) {
    now += 10;
    rests.add(`company ${n}`, n % 2 === 0 ? 50 : 1);
  }
  expect(rests.has('company 998')).toBe(true);
  expect(rests.count()).toBeLessThan(50);
});

test('reads of a company that uses most of a busy event loop rest, those of others do not', async () => {
  const { turns, pass, workForCrowd } = createBusyTurns();
  await workForCrowd();
  await turns.read('list', CROWD, async () => {
    await nextTurn();
    pass(50);
  });
  let ran = false;
  const resting = turns.read('list', CROWD, () => {
    ran = true;
    return Promise.resolve();
  });
  await turns.read('list', OTHER, () => Promise.resolve());
  expect(ran).toBe(false);
  pass(200);
  await until('the read after the rest', resting);
});
