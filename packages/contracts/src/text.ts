/** Characters that are not seen but change the direction or the lines of the text around them. */
const DIRECTION_MARKS = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069';
const LINE_BREAKS_AND_CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029';
const MARK = new RegExp(`[${DIRECTION_MARKS}]`, 'g');
const CONTROL = new RegExp(`[${LINE_BREAKS_AND_CONTROLS}]+`, 'g');
const MARK_OR_CONTROL = new RegExp(`[\\u007f-\\u009f\\u2028\\u2029${DIRECTION_MARKS}]`, 'g');
const PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;
const LONE_SURROGATE = /\p{Surrogate}/gu;
/** Letters of the scripts that are written from right to left: Hebrew, Arabic, Syriac, Thaana, N'Ko, Adlam and others. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10cff}\u{10d00}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const [FIRST_STRONG_ISOLATE, POP_ISOLATE] = ['\u2068', '\u2069'];

/** With U+FFFD for each half of a character: a lone surrogate is no text, and JSON parsers and model APIs refuse it. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd');
}

/** Counts as JSON Schema's `maxLength` does: an emoji of two UTF-16 units is one. */
export function countCodePoints(text: string): number {
  return text.length - (text.match(PAIR)?.length ?? 0);
}

/**
 * The beginning of a text: at most `max` code points, and no part of a character as it is seen, such as an emoji of
 * several code points or a letter with its accents. Well-formed.
 */
export function cut(text: string, max: number): string {
  let units = 0;
  for (let count = 0; count < max && units < text.length; count += 1) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  if (units === text.length) return wellFormed(text);
  const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  // A few more units tell whether the last character goes on.
  const start = characters.segment(text.slice(0, units + 2)).containing(units)?.index ?? units;
  // A single character may be longer than all that is allowed.
  return wellFormed(text.slice(0, start > 0 ? start : units));
}

/** A text as part of a sentence or a line: on one line, well-formed, without marks that reach beyond it. */
export function singleLine(text: string): string {
  return wellFormed(text).replace(CONTROL, ' ').replace(MARK, '');
}

/** As {@link singleLine}; isolated by Unicode's own characters where it could change the direction of its sentence. */
export function isolate(text: string): string {
  const line = singleLine(text);
  return RIGHT_TO_LEFT.test(line) ? `${FIRST_STRONG_ISOLATE}${line}${POP_ISOLATE}` : line;
}

/** The same JSON, with marks and controls, which JSON allows as they are, written as escapes. */
export function escapeMarks(json: string): string {
  return json.replace(MARK_OR_CONTROL, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
