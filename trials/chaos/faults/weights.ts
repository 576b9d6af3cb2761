import type { Environment } from './environment.ts';

/**
 * The faults of processes, sockets and a single Redis, with their relative frequencies. "killed": SIGKILL. "terminated": SIGTERM.
 * "frozen": SIGSTOP, later SIGCONT. "sockets cut": all connections are closed. "sockets silenced": connections stay open but
 * deliver nothing.
 */
const USUAL = {
  'worker killed': 5,
  'worker terminated': 2,
  'worker frozen': 3,
  'gateway killed': 2,
  'gateway terminated': 1,
  'gateway frozen': 2,
  'sockets cut': 3,
  'sockets silenced': 1,
};
const REDIS = { 'redis killed': 1, 'redis terminated': 1, 'redis frozen': 1 };
/** "master replaced": the sentinels promote the replica of a healthy master. */
const SENTINEL = { 'master killed': 2, 'master frozen': 1, 'master replaced': 1 };
/** Of the network between one process and Redis or MongoDB: `link.ts`. */
const NETWORK = {
  'requests partitioned': 1,
  'replies partitioned': 1,
  'network slow': 2,
  'connections half-open': 1,
};
const DISKS = { 'AOF disk full': 1, 'log disk full': 1 };
const CLOCKS = { 'clock jumped': 2 };

type NamesOf<T> = keyof T & string;
export type Fault =
  | NamesOf<typeof USUAL>
  | NamesOf<typeof REDIS>
  | NamesOf<typeof SENTINEL>
  | NamesOf<typeof NETWORK>
  | NamesOf<typeof DISKS>
  | NamesOf<typeof CLOCKS>;

/** Redis may begin a new epoch afterwards. */
export const BEGINS_EPOCH: ReadonlySet<Fault> = new Set([
  'redis killed',
  'redis terminated',
  ...(Object.keys(SENTINEL) as Fault[]),
]);

/** The faults that are possible in an environment. */
export function weightsOf({
  sentinels,
  links,
  disks,
  clocks,
}: Partial<Environment>): Partial<Record<Fault, number>> {
  return {
    ...USUAL,
    ...(sentinels ? SENTINEL : REDIS),
    ...(links && NETWORK),
    ...(disks && { 'log disk full': DISKS['log disk full'] }),
    ...(disks && !sentinels && DISKS),
    ...(clocks && CLOCKS),
  };
}
