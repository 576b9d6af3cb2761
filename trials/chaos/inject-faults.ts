import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { Fleet, Slot } from './fleet.ts';
import type { Random } from './random.ts';

/**
 * The faults with their relative frequencies. "killed": SIGKILL. "terminated": SIGTERM. "frozen": SIGSTOP, later SIGCONT.
 * "sockets cut": all connections are closed. "sockets silenced": connections stay open but deliver nothing.
 */
const WEIGHTS = {
  'worker killed': 5,
  'worker terminated': 2,
  'worker frozen': 3,
  'gateway killed': 2,
  'gateway terminated': 1,
  'gateway frozen': 2,
  'sockets cut': 3,
  'sockets silenced': 1,
  'redis killed': 1,
  'redis terminated': 1,
  'redis frozen': 1,
};
export type Fault = keyof typeof WEIGHTS;

/** A worker's freeze can exceed its job lock. */
const MAX_FREEZE_MS = { worker: 14_000, gateway: 8_000, redis: 4_000 };
const MIN_FREEZE_MS = 200;

export interface FaultRecord {
  fault: Fault;
  /** From the repair until every emission accepted before it had been published or had failed; undefined if not observed. */
  recoveryMs?: number;
}

export interface FaultInjectionDeps {
  /** The processes to disturb. */
  fleet: Pick<Fleet, 'workers' | 'gateways'>;
  redis: ServiceHandle;
  random: Random;
  everyMs: number;
  /** The pid of the worker that reads the change stream. If given, half of the faults of workers hit that one. */
  captureOwner?: (() => Promise<number | undefined>) | undefined;
  /** Relative frequencies. Default: all faults. */
  weights?: Partial<Record<Fault, number>>;
  /** Resolves when every emission accepted so far has been published or has failed. */
  settled: () => Promise<void>;
  onFault: (fault: Fault, what: string) => void;
}

export interface FaultInjection {
  records: FaultRecord[];
  /** Stops the injection. Resolves when the last fault is repaired and all processes are running. */
  end: () => Promise<void>;
}

/** Injects random faults, which may overlap, until `end` is called. */
export function startFaultInjection(deps: FaultInjectionDeps): FaultInjection {
  const { fleet, redis, random, everyMs, captureOwner, weights = WEIGHTS, settled, onFault } = deps;
  const records: FaultRecord[] = [];
  const pending = new Set<Promise<void>>();
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
    await pause(random.between(MIN_FREEZE_MS, MAX_FREEZE_MS[slot.role]));
    process.kill('SIGCONT');
  }

  async function pickWorker(): Promise<Slot> {
    const worker = random.pick(fleet.workers);
    if (!captureOwner || random.next() < 0.5) return worker;
    const pid = await captureOwner();
    return fleet.workers.find(({ process }) => process?.pid === pid) ?? worker;
  }

  /** Resolves when the fault is repaired. */
  async function inject(fault: Fault): Promise<void> {
    const slot = fault.startsWith('worker') ? await pickWorker() : random.pick(fleet.gateways);
    if (fault.startsWith('redis')) {
      if (redisIsBusy) return;
      redisIsBusy = true;
      try {
        onFault(fault, '');
        if (fault === 'redis frozen') {
          await redis.kill('SIGSTOP');
          await pause(random.between(MIN_FREEZE_MS, MAX_FREEZE_MS.redis));
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
      case 'worker terminated':
      case 'gateway terminated':
        return hit(slot, 'SIGTERM');
      case 'worker frozen':
      case 'gateway frozen':
        return hit(slot, 'SIGSTOP');
      case 'sockets cut':
        slot.balancer?.dropConnections();
        return;
      default:
        slot.balancer?.silenceConnections();
    }
  }

  async function injectAndRecord(fault: Fault): Promise<void> {
    const record: FaultRecord = { fault };
    records.push(record);
    await inject(fault);
    const repairedAt = Date.now();
    void settled().then(() => {
      record.recoveryMs = Date.now() - repairedAt;
    });
  }

  const running = (async () => {
    for (;;) {
      // Exponentially distributed: often soon after the previous fault, sometimes long after it.
      const waitMs = Math.min(-Math.log(1 - random.next()) * everyMs, 5 * everyMs);
      await pause(waitMs, undefined, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted) return;
      const injection = injectAndRecord(random.weighted(weights as Record<Fault, number>));
      pending.add(injection);
      // A fault that could not be repaired stays in the set, so that `end` rejects.
      injection.then(
        () => pending.delete(injection),
        () => undefined,
      );
    }
  })();

  return {
    records,
    async end() {
      ended.abort();
      await running;
      await Promise.all(pending);
      await Promise.all([...fleet.workers, ...fleet.gateways].map((slot) => slot.ready()));
    },
  };
}
