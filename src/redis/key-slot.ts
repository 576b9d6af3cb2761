/** Number of hash slots of a Redis Cluster. */
export const SLOTS = 16_384;

/** The remainders of CRC16/XMODEM for each byte. */
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

/**
 * The hash slot of a key, as Redis computes it: from the text between the first braces, or from the whole key without them.
 * @example keySlot('{emissions}:shards') === keySlot('emissions')
 */
export function keySlot(key: string): number {
  const tag = /^[^{]*\{([^}]+)\}/.exec(key)?.[1];
  let crc = 0;
  for (const byte of Buffer.from(tag ?? key)) {
    const index = (crc >> 8) ^ byte;
    crc = ((crc << 8) & 0xffff) ^ (CRC16[index] ?? 0);
  }
  return crc % SLOTS;
}
