import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cut, escapeMarks, isolate, singleLine, wellFormed } from '@appointment-emissions/contracts';

const FAMILY = '👩‍👩‍👧‍👦';
const FLAG = '🇩🇪';
const THUMB = '👍🏽';

describe('cut', () => {
  test.each([
    ['inside an emoji', `abc🐶d`, 4, 'abc🐶'],
    ['before an emoji', `abc🐶d`, 3, 'abc'],
    ['inside an emoji of several code points', `a${FAMILY}b`, 4, 'a'],
    ['after an emoji of several code points', `a${FAMILY}b`, 8, `a${FAMILY}`],
    ['inside a flag', `a${FLAG}${FLAG}`, 4, `a${FLAG}`],
    ['between an emoji and its skin tone', `a${THUMB}`, 2, 'a'],
    ['between a letter and its accent', 'cafe\u0301s', 4, 'caf'],
    ['inside a first character that is longer than the limit', FAMILY, 3, '👩\u200d👩'],
    ['a text that is short enough', `abc🐶`, 4, 'abc🐶'],
    ['to length 0', 'abc', 0, ''],
    ['a text with a lone surrogate', 'ab\ud83d', 5, 'ab\ufffd'],
  ])('%s', (_, text, max, expected) => {
    expect(cut(text, max)).toBe(expected);
  });

  test('returns a well-formed prefix within the limit for any text', () => {
    const text = fc
      .array(fc.constantFrom('a', '\u0301', '\ud83d', '\udc36', FAMILY, FLAG, THUMB, 'כ'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 30 }), (given, max) => {
        const short = cut(given, max);
        expect(short).toBe(wellFormed(short));
        expect(Array.from(short).length).toBeLessThanOrEqual(max);
        expect(wellFormed(given).startsWith(short)).toBe(true);
      }),
    );
  });
});

test('singleLine and isolate remove line breaks and direction marks', () => {
  expect(singleLine('Rex\u202e\n\0gpj\u2028.exe\ud83d')).toBe('Rex gpj .exe\ufffd');
  expect(isolate('Rex')).toBe('Rex');
  expect(isolate('כלב')).toBe('\u2068כלב\u2069');
  expect(isolate('\u2069\u202eRex')).toBe('Rex');
});

test('escapeMarks returns equivalent JSON', () => {
  const json = JSON.stringify({ name: 'Rex\u202e\u200f\u2028\u0085\0' });
  expect(escapeMarks(json)).toBe('{"name":"Rex\\u202e\\u200f\\u2028\\u0085\\u0000"}');
  expect(JSON.parse(escapeMarks(json))).toEqual(JSON.parse(json));
});
