import { z } from 'zod';

/**
 * A text of `min` to `max` UTF-16 code units. Zod's own `min` and `max` also compare the `length` of an object, and throw if that is
 * no number.
 * @example boundedText(200).safeParse({ length: {} }).success; // false
 */
export const boundedText = (max: number, min = 1) =>
  z.string().refine(({ length }) => length >= min && length <= max, `must have ${min} to ${max} characters`);

/**
 * A list of at most `max` items, without Zod's `max` for the same reason.
 * @example boundedList(z.string(), 2).safeParse(['a', 'b']).success; // true
 */
export const boundedList = <Item extends z.ZodType>(item: Item, max: number) =>
  z.array(item).refine(({ length }) => length <= max, `must have at most ${max} items`);
