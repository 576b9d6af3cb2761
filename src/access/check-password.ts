import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '../errors.ts';
import { isPassword, type PasswordHash } from './password-hash.ts';

/** One attempt to sign in. */
export interface PasswordAttempt {
  name: string;
  password: string;
  hash: PasswordHash;
  /** Address of the caller. */
  address: string;
}

/** Resolves to whether the password is right. @throws AppError RATE_LIMITED if too many checks wait */
export type CheckPassword = (attempt: PasswordAttempt) => Promise<boolean>;

/** Node has four threads for files, DNS and scrypt. */
const MAX_RUNNING = 2;
const MAX_WAITING = 16;
/** So that one address cannot fill the queue. */
const MAX_PER_ADDRESS = 4;
/** The page sends a request every two seconds. */
const REMEMBERED_MS = 60_000;

/**
 * Checks passwords in few threads. A right password is remembered for a minute, as a digest with a key of this process, so that a
 * page pays for one check a minute. Requests with the same credentials share a check.
 */
export function createCheckPassword(now: () => number = () => performance.now()): CheckPassword {
  const key = randomBytes(32);
  /** The last right password of each name. */
  const remembered = new Map<string, { digest: Buffer; until: number }>();
  const checks = new Map<string, Promise<boolean>>();
  const perAddress = new Map<string, number>();
  const lanes = createLanes();

  /** Of the hash too: a password that was replaced is not remembered. */
  const digestOf = ({ name, password, hash }: PasswordAttempt): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([name, password, hash.key.toString('base64')]))
      .digest();

  async function check(attempt: PasswordAttempt, digest: Buffer): Promise<boolean> {
    const { name, password, hash, address } = attempt;
    const own = perAddress.get(address) ?? 0;
    if (own >= MAX_PER_ADDRESS || lanes.waiting() >= MAX_WAITING)
      throw new AppError('RATE_LIMITED', 'too many sign-ins at once: wait for Retry-After', {
        retryAfterSeconds: 1,
      });
    perAddress.set(address, own + 1);
    try {
      const isRight = await lanes.run(() => isPassword(password, hash));
      if (isRight) remembered.set(name, { digest, until: now() + REMEMBERED_MS });
      return isRight;
    } finally {
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    }
  }

  return (attempt) => {
    const digest = digestOf(attempt);
    const last = remembered.get(attempt.name);
    if (last && now() < last.until && timingSafeEqual(last.digest, digest)) return Promise.resolve(true);
    const id = digest.toString('base64');
    const shared =
      checks.get(id) ??
      check(attempt, digest).finally(() => {
        checks.delete(id);
      });
    checks.set(id, shared);
    return shared;
  };
}

/** Runs few calls at once. The others wait, in their order. */
function createLanes() {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    waiting: () => waiting.length,
    async run<T>(call: () => Promise<T>): Promise<T> {
      if (running >= MAX_RUNNING) await new Promise<void>((resolve) => waiting.push(resolve));
      else running += 1;
      try {
        return await call();
      } finally {
        // The next call takes over the lane.
        const next = waiting.shift();
        if (next) next();
        else running -= 1;
      }
    },
  };
}
