import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { Environment } from './faults/environment.ts';
import { fillAof, fillLog, hitLink, hitMaster, hitRedis, jump } from './faults/hit-environment.ts';
import { type Fault, weightsOf } from './faults/weights.ts';
import type { Fleet, Slot } from './fleet.ts';
import type { Random } from './random.ts';

/** A worker's freeze can exceed its job lock. */
const MAX_FREEZE_MS = { worker: 14_000, gateway: 8_000 };
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
  /** What else can be disturbed. */
  environment?: Partial<Environment>;
  random: Random;
  everyMs: number;
  /** The pid of the worker that reads the change stream. If given, half of the faults of workers hit that one. */
  captureOwner?: (() => Promise<number | undefined>) | undefined;
  /** Relative frequencies. Default: all faults that the environment permits. */
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
  const { fleet, redis, random, everyMs, captureOwner, environment = {}, settled, onFault } = deps;
  const { weights = weightsOf(environment) } = deps;
  const { sentinels, links, disks, clocks } = environment;
  const records: FaultRecord[] = [];
  const pending = new Set<Promise<void>>();
  const ended = new AbortController();
  const busy = new Set<string>();

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

  /** While it is not repaired, its target is busy, and no other fault hits that. */
  async function alone(target: string, fault: () => Promise<void>): Promise<void> {
    busy.add(target);
    await fault();
    busy.delete(target);
  }

  /** Resolves when the fault is repaired. */
  async function inject(fault: Fault, slot: Slot): Promise<void> {
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
      case 'sockets silenced':
        slot.balancer?.silenceConnections();
        return;
      case 'redis killed':
      case 'redis terminated':
      case 'redis frozen':
        return alone('redis', () => hitRedis(fault, redis, random));
      case 'AOF disk full':
        return alone('redis', () => fillAof(disks!.aof, redis, random));
      case 'master killed':
      case 'master frozen':
      case 'master replaced':
        return alone('redis', () => hitMaster(fault, sentinels!));
      case 'log disk full':
        return alone('log disk', () => fillLog(disks!.log, random));
      case 'clock jumped':
        return alone(`clock of ${slot.name}`, () => jump(clocks!, slot.name, random));
      default:
        return hitLink(fault, random.pick(links!.get(slot.name)!), random);
    }
  }

  /** Faults of sockets hit gateways, those of one process that process, and others any. */
  async function pickSlot(fault: Fault): Promise<Slot> {
    if (fault.startsWith('worker')) return pickWorker();
    if (fault.startsWith('gateway') || fault.startsWith('sockets')) return random.pick(fleet.gateways);
    const slots = [...fleet.workers, ...fleet.gateways];
    if (fault === 'clock jumped') return random.pick(slots);
    return random.pick(slots.filter(({ name }) => links?.has(name) ?? true));
  }

  async function injectAndRecord(fault: Fault): Promise<void> {
    const slot = await pickSlot(fault);
    const target = targetOf(fault, slot);
    if (busy.has(target)) return;
    const record: FaultRecord = { fault };
    records.push(record);
    onFault(fault, target);
    await inject(fault, slot);
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
      const fault = random.weighted(weights as Record<Fault, number>);
      const injection = injectAndRecord(fault);
      pending.add(injection);
      // A fault that could not be repaired stays in the set, so that `end` rejects.
      injection.then(
        () => pending.delete(injection),
        (error: unknown) => {
          onFault(fault, `not repaired: ${String(error)}`);
        },
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

/** What a fault hits. */
function targetOf(fault: Fault, slot: Slot): string {
  if (/^(redis|master|AOF)/.test(fault)) return 'redis';
  if (fault === 'log disk full') return 'log disk';
  return fault === 'clock jumped' ? `clock of ${slot.name}` : slot.name;
}
