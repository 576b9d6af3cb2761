import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** A password hashed by scrypt, with the parameters that it was hashed with. */
export interface PasswordHash {
  /** Cost N: a power of 2. A check needs `128 * N * r` bytes. */
  N: number;
  /** Block size. */
  r: number;
  /** Parallelization: repeats the work without more memory. */
  p: number;
  salt: Buffer;
  key: Buffer;
}

/** A check takes 32 MiB and about 0.2 s of a thread. */
const DEFAULTS = { ln: 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** 16 MiB: less is cheap to guess. */
const MIN_MEMORY_COST = 2 ** 17;
/** About 0.7 s, and at most 256 MiB: more would let sign-ins block the process. */
const MAX_COST = 2 ** 21;
const MIN_PASSWORD_LENGTH = 12;

/** The PHC format. Salt: at least 16 bytes. Key: 32 to 64 bytes. */
const FORMAT =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43,86})$/;

/**
 * Hashes a password with a random salt.
 * @returns the PHC format
 * @throws RangeError if the password is too short or contains a control character
 * @example '$scrypt$ln=15,r=8,p=3$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'
 */
export async function hashPassword(password: string): Promise<string> {
  if (password.length < MIN_PASSWORD_LENGTH)
    throw new RangeError(`a password must have at least ${MIN_PASSWORD_LENGTH} characters`);
  if (/\p{Cc}/u.test(password)) throw new RangeError('a password must not contain a control character');
  const { ln, r, p } = DEFAULTS;
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, { N: 2 ** ln, r, p, salt }, KEY_BYTES);
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(key)}`;
}

/** @throws RangeError whose message does not contain the text */
export function parsePasswordHash(text: string): PasswordHash {
  const [, ln, r, p, salt = '', key = ''] = FORMAT.exec(text) ?? [];
  if (ln === undefined) throw new RangeError('the password must be a hash made by "emissions operator-hash"');
  const hash = {
    ...{ N: 2 ** Number(ln), r: Number(r), p: Number(p) },
    ...{ salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') },
  };
  const memoryCost = hash.N * hash.r;
  if (memoryCost < MIN_MEMORY_COST || hash.p < 1)
    throw new RangeError('the parameters of the password hash are too weak: hash the password again');
  if (memoryCost * hash.p > MAX_COST)
    throw new RangeError('the parameters of the password hash are too expensive: hash the password again');
  return hash;
}

/** Whether the password is the hashed one. It runs in a thread, and its duration depends on the parameters alone. */
export async function isPassword(password: string, hash: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, hash, hash.key.length), hash.key);
}

function derive(
  password: string,
  { N, r, p, salt }: Omit<PasswordHash, 'key'>,
  bytes: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Keyboards differ in how they compose a letter and its accent.
    scrypt(password.normalize('NFKC'), salt, bytes, { N, r, p, maxmem: 256 * (N + p) * r }, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
