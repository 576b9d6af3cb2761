/** Encodes indices as hexadecimal bits, the first one highest: {0, 2} is `a0`, none is `00`. */
export function encodeIndices(indices: ReadonlySet<number>): string {
  const bits = Buffer.alloc(1 + (Math.max(0, ...indices) >> 3));
  for (const index of indices)
    bits.writeUInt8(bits.readUInt8(index >> 3) | (0x80 >> (index & 7)), index >> 3);
  return bits.toString('hex');
}

/** The reverse of {@link encodeIndices}. */
export function decodeIndices(hex: string): Set<number> {
  const bits = [...Buffer.from(hex, 'hex')];
  return new Set(
    bits.flatMap((byte, at) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (0x80 >> bit)).map((bit) => at * 8 + bit),
    ),
  );
}
