import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceHandle } from '../../scripts/services/service.mjs';
import type { Fleet, Slot } from './fleet.ts';
import type { Random } from './random.ts';

/** What may befall the fleet, and how often, in parts of the whole. */
const WEIGHTS = {
  'worker killed': 5,
  'worker ended': 2,
  'worker frozen': 3,
  'gateway killed': 2,
  'gateway ended': 1,
  'gateway frozen': 2,
  'sockets cut': 3,
  'sockets mute': 1,
  'redis killed': 1,
  'redis ended': 1,
  'redis frozen': 1,
};
export type Fault = keyof typeof WEIGHTS;

/** Some longer than a worker's lock. */
const LONGEST_FREEZE_MS = { worker: 14_000, gateway: 8_000, redis: 4_000 };
const SHORTEST_FREEZE_MS = 200;

export interface FaultRecord {
  fault: Fault;
  /** From the moment that it was mended until everything accepted before had ended; undefined if not seen. */
  recoveryMs?: number;
}

export interface FaultsDeps {
  /** Whose processes it befalls. */
  fleet: Pick<Fleet, 'workers' | 'gateways'>;
  redis: ServiceHandle;
  random: Random;
  everyMs: number;
  /** How often which, in parts of the whole; default: all. */
  weights?: Partial<Record<Fault, number>>;
  /** Resolves when everything accepted until now has ended. */
  settled: () => Promise<void>;
  onFault: (fault: Fault, what: string) => void;
}

export interface Faults {
  records: FaultRecord[];
  /** No more faults; resolves when the last is mended and all processes are there. */
  end: () => Promise<void>;
}

/** Lets faults befall the fleet, one upon the other where chance has it so, until it is told to end. */
export function startFaults(deps: FaultsDeps): Faults {
  const { fleet, redis, random, everyMs, weights = WEIGHTS, settled, onFault } = deps;
  const records: FaultRecord[] = [];
  const underWay = new Set<Promise<void>>();
  const ended = new AbortController();
  let redisIsBusy = false;

  async function hit(slot: Slot, signal: NodeJS.Signals): Promise<void> {
    const { process } = slot;
    process?.kill(signal);
    if (!process) return;
    if (signal !== 'SIGSTOP') {
      await process.exited;
      await slot.ready();
      return;
    }
    await pause(random.between(SHORTEST_FREEZE_MS, LONGEST_FREEZE_MS[slot.role]));
    process.kill('SIGCONT');
  }

  /** Resolves when it is mended. */
  async function inflict(fault: Fault): Promise<void> {
    const slot = random.pick(fault.startsWith('worker') ? fleet.workers : fleet.gateways);
    if (fault.startsWith('redis')) {
      if (redisIsBusy) return;
      redisIsBusy = true;
      try {
        onFault(fault, '');
        if (fault === 'redis frozen') {
          await redis.kill('SIGSTOP');
          await pause(random.between(SHORTEST_FREEZE_MS, LONGEST_FREEZE_MS.redis));
          await redis.kill('SIGCONT');
        } else {
          if (fault === 'redis killed') await redis.kill();
          await redis.restart();
        }
      } finally {
        redisIsBusy = false;
      }
      return;
    }
    onFault(fault, slot.name);
    switch (fault) {
      case 'worker killed':
      case 'gateway killed':
        return hit(slot, 'SIGKILL');
      case 'worker ended':
      case 'gateway ended':
        return hit(slot, 'SIGTERM');
      case 'worker frozen':
      case 'gateway frozen':
        return hit(slot, 'SIGSTOP');
      case 'sockets cut':
        slot.board?.cut();
        return;
      default:
        slot.board?.mute();
    }
  }

  async function one(fault: Fault): Promise<void> {
    const record: FaultRecord = { fault };
    records.push(record);
    await inflict(fault);
    const mendedAt = Date.now();
    void settled().then(() => {
      record.recoveryMs = Date.now() - mendedAt;
    });
  }

  const running = (async () => {
    for (;;) {
      // Exponential: mostly soon after the last, sometimes long after.
      const waitMs = Math.min(-Math.log(1 - random.next()) * everyMs, 5 * everyMs);
      await pause(waitMs, undefined, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted) return;
      const work = one(random.weighted(weights as Record<Fault, number>));
      underWay.add(work);
      // One that could not be mended stays, and fails the run at its end.
      work.then(
        () => underWay.delete(work),
        () => undefined,
      );
    }
  })();

  return {
    records,
    async end() {
      ended.abort();
      await running;
      await Promise.all(underWay);
      await Promise.all([...fleet.workers, ...fleet.gateways].map((slot) => slot.ready()));
    },
  };
}
