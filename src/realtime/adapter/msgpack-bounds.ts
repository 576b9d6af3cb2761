/** Deeper than any message of ours, and shallow enough for every recursive reader of it. */
const MAX_DEPTH = 64;

/** Bytes after the first one, for values of a fixed size whose first byte is 0xc0 to 0xd8. */
const FIXED_BYTES: Record<number, number> = {
  ...{ 0xc0: 0, 0xc2: 0, 0xc3: 0, 0xca: 4, 0xcb: 8, 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8 },
  ...{ 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8, 0xd4: 2, 0xd5: 3, 0xd6: 5, 0xd7: 9, 0xd8: 17 },
};
/** Binary, extension (with a byte for its type) and text: bytes of the length, and bytes of the type. */
const SIZED: Record<number, { lengthBytes: number; typeBytes: number }> = {
  0xc4: { lengthBytes: 1, typeBytes: 0 },
  0xc5: { lengthBytes: 2, typeBytes: 0 },
  0xc6: { lengthBytes: 4, typeBytes: 0 },
  0xc7: { lengthBytes: 1, typeBytes: 1 },
  0xc8: { lengthBytes: 2, typeBytes: 1 },
  0xc9: { lengthBytes: 4, typeBytes: 1 },
  0xd9: { lengthBytes: 1, typeBytes: 0 },
  0xda: { lengthBytes: 2, typeBytes: 0 },
  0xdb: { lengthBytes: 4, typeBytes: 0 },
};

/**
 * True if the bytes are exactly one msgpack value, no length reaches beyond their end, and values are nested at most 64
 * deep. A decoder allocates what a length says, so four bytes could make it allocate gigabytes. This check allocates
 * nothing.
 */
export function isBoundedMsgpack(bytes: Buffer): boolean {
  try {
    return skipValue(bytes, 0, MAX_DEPTH) === bytes.length;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Returns the offset after the value at `at`. @throws RangeError if there is no value */
function skipValue(bytes: Buffer, at: number, depth: number): number {
  const first = bytes[at];
  if (first === undefined) throw new RangeError('the end is missing');
  const next = at + 1;
  if (first < 0x80 || first >= 0xe0) return next;
  if (first < 0x90) return skipValues(bytes, next, 2 * (first & 0x0f), depth);
  if (first < 0xa0) return skipValues(bytes, next, first & 0x0f, depth);
  if (first < 0xc0) return next + (first & 0x1f);
  if (first === 0xdc) return skipValues(bytes, next + 2, bytes.readUInt16BE(next), depth);
  if (first === 0xdd) return skipValues(bytes, next + 4, bytes.readUInt32BE(next), depth);
  if (first === 0xde) return skipValues(bytes, next + 2, 2 * bytes.readUInt16BE(next), depth);
  if (first === 0xdf) return skipValues(bytes, next + 4, 2 * bytes.readUInt32BE(next), depth);
  const fixed = FIXED_BYTES[first];
  if (fixed !== undefined) return next + fixed;
  const sized = SIZED[first];
  if (!sized) throw new RangeError('not msgpack');
  return next + sized.lengthBytes + sized.typeBytes + bytes.readUIntBE(next, sized.lengthBytes);
}

function skipValues(bytes: Buffer, from: number, count: number, depth: number): number {
  if (depth === 0) throw new RangeError('nested too deep');
  let at = from;
  for (let left = count; left > 0; left -= 1) at = skipValue(bytes, at, depth - 1);
  return at;
}
