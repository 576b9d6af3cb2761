import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  countCodePoints,
  cut,
  escapeMarks,
  isolate,
  singleLine,
  wellFormed,
} from '@appointment-emissions/contracts';

const FAMILY = '👩‍👩‍👧‍👦';
const FLAG = '🇩🇪';
const THUMB = '👍🏽';

describe('a text that is cut', () => {
  test.each([
    ['in the middle of an emoji', `abc🐶d`, 4, 'abc🐶'],
    ['before an emoji', `abc🐶d`, 3, 'abc'],
    ['in the middle of a family', `a${FAMILY}b`, 4, 'a'],
    ['after a family', `a${FAMILY}b`, 8, `a${FAMILY}`],
    ['in the middle of a flag', `a${FLAG}${FLAG}`, 4, `a${FLAG}`],
    ['between an emoji and its skin', `a${THUMB}`, 2, 'a'],
    ['between a letter and its accent', 'cafe\u0301s', 4, 'caf'],
    ['in a single character that is longer', FAMILY, 3, '👩\u200d👩'],
    ['nowhere', `abc🐶`, 4, 'abc🐶'],
    ['at its beginning', 'abc', 0, ''],
    ['with half of an emoji in it', 'ab\ud83d', 5, 'ab\ufffd'],
  ])('%s', (_, text, max, expected) => {
    expect(cut(text, max)).toBe(expected);
  });

  test('is well-formed, short enough, and a beginning of the text, whatever it is', () => {
    const text = fc
      .array(fc.constantFrom('a', '\u0301', '\ud83d', '\udc36', FAMILY, FLAG, THUMB, 'כ'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 30 }), (given, max) => {
        const short = cut(given, max);
        expect(short).toBe(wellFormed(short));
        expect(countCodePoints(short)).toBeLessThanOrEqual(max);
        expect(wellFormed(given).startsWith(short)).toBe(true);
      }),
    );
  });
});

test('characters are counted as JSON Schema counts them', () => {
  expect(countCodePoints('a🐶é')).toBe(3);
});

test('a name in a sentence stays on the line and reaches no further than itself', () => {
  expect(singleLine('Rex\u202e\n\0gpj\u2028.exe\ud83d')).toBe('Rex gpj .exe\ufffd');
  expect(isolate('Rex')).toBe('Rex');
  expect(isolate('כלב')).toBe('\u2068כלב\u2069');
  expect(isolate('\u2069\u202eRex')).toBe('Rex');
});

test('marks in JSON become escapes of the same JSON', () => {
  const json = JSON.stringify({ name: 'Rex\u202e\u200f\u2028\u0085\0' });
  expect(escapeMarks(json)).toBe('{"name":"Rex\\u202e\\u200f\\u2028\\u0085\\u0000"}');
  expect(JSON.parse(escapeMarks(json))).toEqual(JSON.parse(json));
});
