import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Operator } from '@appointment-emissions/contracts';
import { coalesce } from '../batching.ts';
import { errorMessage } from '../errors.ts';
import { within } from '../process/lifecycle.ts';
import type { Logger } from '../process/logger.ts';
import { createCheckPassword } from './check-password.ts';
import type { PasswordHash } from './password-hash.ts';
import {
  type OperatorEntries,
  parseOperators,
  readOperatorsNow,
  readOperatorsText,
} from './operators-file.ts';

/**
 * Resolves to the operator of this name and password; `undefined` if there is none. @param address  of the caller
 * @throws AppError RATE_LIMITED if too many passwords are checked at once
 */
export type AuthenticateOperator = (
  credentials: { name: string; password: string },
  address: string,
) => Promise<Operator | undefined>;

/** One operator, of the settings `ADMIN_…`. Its duration does not depend on name and password. */
export function authenticateOne(operator: Operator, password: string): AuthenticateOperator {
  const digest = (...credentials: string[]) =>
    Buffer.from(hash('sha256', credentials.join(':'), 'base64'), 'base64');
  const expected = digest(operator.name, password);
  return (given) =>
    Promise.resolve(timingSafeEqual(digest(given.name, given.password), expected) ? operator : undefined);
}

const CHECK_EVERY_MS = 5_000;
const READ_WITHIN_MS = 2_000;
const MAX_CALLS = 10_000;

export interface OperatorsFileDeps {
  path: string;
  logger: Logger;
}

/** Operators of a file, which may change at any time. */
export interface FileOperators {
  authenticate: AuthenticateOperator;
  /** Why the file cannot be used, as a warning for the operator; the previous operators stay. */
  warning: () => string | undefined;
  close: () => void;
}

/**
 * Operators of `OPERATORS_FILE`. Each sign-in reads the file again, so that a removed operator has no access from then on.
 * @throws RangeError if the file is not usable at start
 */
export function openOperatorsFile(deps: OperatorsFileDeps): FileOperators {
  const file = watchOperatorsFile(deps);
  const checkPassword = createCheckPassword();
  const decoyOf = createDecoys();
  return {
    async authenticate({ name: given, password }, address) {
      const name = given.normalize('NFC');
      const entries = await file.current();
      const entry = entries.get(name);
      const hash = entry?.hash ?? decoyOf(name, entries);
      const isRight = await checkPassword({ name, password, hash, address });
      return entry && isRight ? { name: entry.name, role: entry.role } : undefined;
    },
    warning: file.warning,
    close: () => {
      file.close();
    },
  };
}

/** Chooses whose hash checks an unknown name, always the same operator, so that the check takes as long as for a known one. */
function createDecoys(): (name: string, entries: OperatorEntries) => PasswordHash {
  const key = randomBytes(32);
  return (name, entries) => {
    const number = createHmac('sha256', key).update(name).digest().readUInt32BE();
    const [entry] = [...entries.values()].slice(number % entries.size);
    if (!entry) throw new RangeError('there is no operator');
    return entry.hash;
  };
}

/** Reads the file at each call of `current`, and every five seconds, so that a damaged file is noticed without a sign-in. */
function watchOperatorsFile({ path, logger }: OperatorsFileDeps) {
  let { text, entries } = readOperatorsNow(path);
  let problem: string | undefined;
  let reading: Promise<string> | undefined;

  /** A read that hangs is not begun again: each would take one of the process' few threads for files. */
  function read(): Promise<string> {
    reading ??= readOperatorsText(path).finally(() => {
      reading = undefined;
    });
    return reading;
  }

  function use(newText: string): void {
    if (newText !== text) {
      entries = parseOperators(newText);
      text = newText;
      logger.info({ operators: entries.size }, 'operators changed');
    }
    if (problem !== undefined) logger.info('operators file usable again');
    problem = undefined;
  }

  async function update(): Promise<void> {
    try {
      use(await within(READ_WITHIN_MS, 'reading the file', read()));
    } catch (error) {
      const found = errorMessage(error);
      if (found !== problem) logger.error({ error: found }, 'operators file not usable');
      problem = found;
    }
  }

  /** A call never shares a read that began before it. */
  const current = coalesce<undefined, OperatorEntries>({
    async run(calls) {
      await update();
      return calls.map(() => entries);
    },
    maxBatch: MAX_CALLS,
  });
  const timer = setInterval(() => void current(undefined), CHECK_EVERY_MS).unref();
  return {
    current: () => current(undefined),
    warning: () =>
      problem === undefined
        ? undefined
        : `OPERATORS_FILE is not usable, and the previous operators stay: ${problem}`,
    close: () => {
      clearInterval(timer);
    },
  };
}
