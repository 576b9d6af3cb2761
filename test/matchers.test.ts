import { expect, jest, test } from '@jest/globals';

/** Pairs that are equal, and a value that differs from both. */
const VALUES: [name: string, one: unknown, equal: unknown, different: unknown][] = [
  ['errors', new Error('a'), new Error('a'), new Error('b')],
  ['dates', new Date(1), new Date(1), new Date(2)],
  ['expressions', /a/, /a/, /b/],
  ['maps', new Map([[1, { a: 1 }]]), new Map([[1, { a: 1 }]]), new Map([[1, { a: 2 }]])],
  ['sets', new Set([1]), new Set([1]), new Set([2])],
  ['arrays', [1, [2]], [1, [2]], [1, [3]]],
  ['objects', { a: { b: 1 } }, { a: { b: 1 } }, { a: { b: 2 } }],
  ['bytes', Buffer.from('a'), Buffer.from('a'), Buffer.from('b')],
  ['addresses', new URL('http://a'), new URL('http://a'), new URL('http://b')],
];

test.each(VALUES)('matchers tell equal %s from different ones', (_, one, equal, different) => {
  expect(one).toEqual(equal);
  expect(one).toStrictEqual(equal);
  expect(one).not.toEqual(different);
  expect(one).not.toStrictEqual(different);
});

test.each([
  [String, 'a', 1],
  [Number, 1, 'a'],
  [Boolean, true, 1],
  [BigInt, 1n, 1],
  [Function, () => 1, {}],
  [Object, {}, 1],
  [Array, [], {}],
  [Date, new Date(), 1],
  [Error, new TypeError('a'), {}],
])('expect.any(%p) matches values of that type only', (type, one, other) => {
  expect({ one }).toEqual({ one: expect.any(type) });
  expect({ one: other }).not.toEqual({ one: expect.any(type) });
});

test('toThrow compares the class and the message', async () => {
  const fail = () => {
    throw new TypeError('a');
  };
  expect(fail).toThrow(TypeError);
  expect(fail).toThrow(Error);
  expect(fail).toThrow(new TypeError('a'));
  expect(fail).not.toThrow(RangeError);
  expect(fail).not.toThrow(new TypeError('b'));
  expect(fail).not.toThrow(/b/);
  await expect(Promise.reject(new Error('a'))).rejects.toThrow('a');
  await expect(Promise.reject(new Error('a'))).rejects.not.toThrow('b');
});

test('a spy compares its arguments', () => {
  const spy = jest.fn();
  spy(1, new Error('a'));
  expect(spy).toHaveBeenCalledWith(expect.any(Number), new Error('a'));
  expect(spy).not.toHaveBeenCalledWith(expect.any(Number), new Error('b'));
});
