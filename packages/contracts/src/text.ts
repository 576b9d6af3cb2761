/** Invisible characters that change the direction of the surrounding text. */
const DIRECTION_MARKS = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069';
/** Characters that break a line, and control characters. */
const LINE_BREAKS_AND_CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029';
const MARK = new RegExp(`[${DIRECTION_MARKS}]`, 'g');
const CONTROL = new RegExp(`[${LINE_BREAKS_AND_CONTROLS}]+`, 'g');
const MARK_OR_CONTROL = new RegExp(`[\\u007f-\\u009f\\u2028\\u2029${DIRECTION_MARKS}]`, 'g');
const LONE_SURROGATE = /\p{Surrogate}/gu;
/** Letters of scripts that are written from right to left: Hebrew, Arabic, Syriac, Thaana, N'Ko, Adlam and others. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10cff}\u{10d00}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const [FIRST_STRONG_ISOLATE, POP_ISOLATE] = ['\u2068', '\u2069'];

/** Replaces each lone surrogate with U+FFFD. JSON parsers and model APIs reject text with lone surrogates. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd');
}

/**
 * Truncates a text to at most `max` code points without splitting a visible character, such as an emoji of several code
 * points or a letter with its accents. The result is well-formed, see {@link wellFormed}. A first character of more than
 * `max` code points is split, so that the result is not empty.
 *
 * @example
 * ```ts
 * cut('abc🐶d', 4); // 'abc🐶'
 * ```
 */
export function cut(text: string, max: number): string {
  let units = 0;
  for (let count = 0; count < max && units < text.length; count += 1) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  if (units === text.length) return wellFormed(text);
  const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  // Two more units are enough to detect whether the last character continues.
  const start = characters.segment(text.slice(0, units + 2)).containing(units)?.index ?? units;
  // A single character can be longer than `max`.
  return wellFormed(text.slice(0, start > 0 ? start : units));
}

/**
 * Makes a text safe to embed in a line: removes direction marks, replaces line breaks and control characters with a
 * space, and replaces lone surrogates.
 */
export function singleLine(text: string): string {
  return wellFormed(text).replace(CONTROL, ' ').replace(MARK, '');
}

/**
 * Like {@link singleLine}. If the text contains right-to-left letters, it is also wrapped in Unicode isolates, so that it
 * does not change the direction of the sentence around it.
 */
export function isolate(text: string): string {
  const line = singleLine(text);
  return RIGHT_TO_LEFT.test(line) ? `${FIRST_STRONG_ISOLATE}${line}${POP_ISOLATE}` : line;
}

/** Escapes direction marks and control characters in a JSON text. JSON allows them unescaped, but they distort a log line. */
export function escapeMarks(json: string): string {
  return json.replace(MARK_OR_CONTROL, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
