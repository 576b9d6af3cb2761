import { expect, test } from '@jest/globals';
import { coalesce } from '../src/batching.ts';

/** A `run` whose batches the test answers one by one. */
function batches<V = string>() {
  const seen: { keys: readonly string[]; answer: (values: V[]) => void; fail: (error: Error) => void }[] = [];
  const run = (keys: readonly string[]) =>
    new Promise<V[]>((answer, fail) => seen.push({ keys, answer, fail }));
  return { seen, run };
}
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('calls of one turn share a run, and each gets its own value', async () => {
  const { seen, run } = batches();
  const read = coalesce({ run, maxBatch: 10 });
  const answers = Promise.all([read('a'), read('b'), read('a')]);
  await nextTurn();
  expect(seen.map(({ keys }) => keys)).toEqual([['a', 'b', 'a']]);
  seen[0]!.answer(['1', '2', '3']);
  expect(await answers).toEqual(['1', '2', '3']);
});

test('a call during a run waits for the next one, so its value is never older than the call', async () => {
  const { seen, run } = batches();
  const read = coalesce({ run, maxBatch: 10 });
  const first = read('a');
  await nextTurn();
  const second = read('a');
  await nextTurn();
  expect(seen).toHaveLength(1);
  seen[0]!.answer(['old']);
  expect(await first).toBe('old');
  await nextTurn();
  expect(seen.map(({ keys }) => keys)).toEqual([['a'], ['a']]);
  seen[1]!.answer(['new']);
  expect(await second).toBe('new');
});

test('batches are split by size, and those above the number of parallel runs wait', async () => {
  const { seen, run } = batches();
  const read = coalesce({ run, maxBatch: 2, maxInFlight: 2 });
  const answers = Promise.all(['a', 'b', 'c', 'd', 'e'].map(read));
  await nextTurn();
  await nextTurn();
  expect(seen.map(({ keys }) => keys)).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  seen[1]!.answer(['C', 'D']);
  await nextTurn();
  await nextTurn();
  expect(seen[2]?.keys).toEqual(['e']);
  seen[0]!.answer(['A', 'B']);
  seen[2]!.answer(['E']);
  expect(await answers).toEqual(['A', 'B', 'C', 'D', 'E']);
});

test('with firstAtOnce a call runs at once if no run is in progress; later calls of the turn share the next run', async () => {
  const { seen, run } = batches();
  const read = coalesce({ run, maxBatch: 10, maxInFlight: 2, firstAtOnce: true });
  const keys = () => seen.map((batch) => batch.keys);
  const answers = Promise.all(['a', 'b', 'c'].map(read));
  expect(keys()).toEqual([['a']]);
  await nextTurn();
  expect(keys()).toEqual([['a'], ['b', 'c']]);
  const late = Promise.all(['d', 'e'].map(read));
  await nextTurn();
  expect(seen).toHaveLength(2);
  seen[0]!.answer(['A']);
  await nextTurn();
  await nextTurn();
  expect(keys()).toEqual([['a'], ['b', 'c'], ['d', 'e']]);
  seen[1]!.answer(['B', 'C']);
  seen[2]!.answer(['D', 'E']);
  expect(await answers).toEqual(['A', 'B', 'C']);
  expect(await late).toEqual(['D', 'E']);
  const alone = read('f');
  expect(keys().at(-1)).toEqual(['f']);
  seen[3]!.answer(['F']);
  expect(await alone).toBe('F');
});

test('a failed run rejects its own calls, and later calls run', async () => {
  const { seen, run } = batches();
  const read = coalesce({ run, maxBatch: 10 });
  const failing = Promise.allSettled([read('a'), read('b')]);
  await nextTurn();
  const later = read('c');
  seen[0]!.fail(new Error('no answer'));
  expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await nextTurn();
  seen[1]!.answer(['C']);
  expect(await later).toBe('C');
});

test('a run that throws before it returns a promise rejects its calls too', async () => {
  const read = coalesce<string, string>({
    run: () => {
      throw new Error('at once');
    },
    maxBatch: 10,
  });
  await expect(read('a')).rejects.toThrow('at once');
});
