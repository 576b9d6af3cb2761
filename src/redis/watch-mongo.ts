import { errorMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { createOutageLog } from '../process/outage-log.ts';

/** Advice for errors of MongoDB's driver. */
const MONGO_ADVICE: [RegExp, string][] = [
  [/Authentication failed|bad auth|AuthenticationFailed/i, 'correct user and password in MONGODB_URI'],
  [/not authorized/i, 'its user needs the role "read"; see "MongoDB user" in docs/guides/production.md'],
  [/certificate|altnames/i, 'for your own certificate authority, set NODE_EXTRA_CA_CERTS'],
  [/ECONNREFUSED/, 'start MongoDB, or correct host and port in MONGODB_URI'],
  [/ENOTFOUND|EAI_AGAIN|querySrv/, 'no DNS entry: correct the host in MONGODB_URI'],
  [/replica set/i, 'see "MongoDB" in docs/guides/production.md'],
  [/timed? ?out/i, 'MongoDB does not answer: it is frozen, overloaded or cut off'],
];

/** Logs the outages of MongoDB; also for processes without Redis. */
export function watchMongo(logger: Logger) {
  const log = createOutageLog({
    logger,
    lost: 'mongodb unavailable',
    restored: 'mongodb available again',
  });
  return {
    onError: (error: unknown): void => {
      log.failed('reads', explainedMongo(error));
    },
    onUsable: (): void => {
      log.works('reads');
    },
    isDown: (): boolean => log.isDown,
  };
}

/** These errors are about connections, so they contain no document. */
function explainedMongo(error: unknown): Error {
  const words = errorMessage(error);
  const [, advice] = MONGO_ADVICE.find(([fits]) => fits.test(words)) ?? [];
  return new Error(advice === undefined ? words : `${words} (${advice})`, { cause: error });
}
