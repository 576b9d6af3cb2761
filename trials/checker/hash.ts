import { hash } from 'node:crypto';

/** A hash of 64 bits. Among ten million states, two share it with a probability of 1 in 370,000. */
export interface Hash {
  low: number;
  high: number;
}

export function createHash(): { add: (value: number) => void; end: () => Hash } {
  let low = 0x9e3779b9;
  let high = 0x41c6ce57;
  return {
    add(value) {
      low = Math.imul(low ^ value, 0x85ebca6b);
      low ^= low >>> 13;
      high = Math.imul(high ^ value, 0xc2b2ae35);
      high ^= high >>> 16;
    },
    end() {
      const mixed = Math.imul(low ^ (high >>> 15), 0x27d4eb2f);
      const other = Math.imul(high ^ (mixed >>> 13), 0x165667b1);
      return { low: (mixed ^ (mixed >>> 15)) >>> 0, high: (other ^ (other >>> 13)) >>> 0 };
    },
  };
}

export function hashText(text: string): Hash {
  const digest = Buffer.from(hash('md5', text), 'hex');
  return { low: digest.readUInt32LE(0), high: digest.readUInt32LE(4) };
}
