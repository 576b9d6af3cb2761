import { setTimeout as pause } from 'node:timers/promises';
import type { Spawned } from '../../test/harness/processes.ts';
import type { World } from '../../test/harness/world.ts';
import { createBalancer, type Balancer } from './balancer.ts';

/** A slot of the fleet. Its process is restarted whenever it exits. */
export interface Slot {
  role: 'worker' | 'gateway';
  name: string;
  /** The current process; undefined between its exit and the next start. */
  readonly process: Spawned | undefined;
  /** Gateways only: forwards a stable address to the current process. */
  balancer: Balancer | undefined;
  /** Resolves when a process is running and ready. */
  ready: () => Promise<void>;
}

export interface Fleet {
  workers: Slot[];
  gateways: Slot[];
  /** Number of restarts by role. */
  restarts: Record<Slot['role'], number>;
  /** Processes that exited without being killed or terminated: name and exit status. No process should. */
  unexpectedExits: string[];
  close: () => Promise<void>;
}

export interface FleetOptions {
  workers: number;
  gateways: number;
  /** Additional settings of the processes of one slot. */
  envOf?: (slot: string) => Record<string, string> | Promise<Record<string, string>>;
}

const RESTART_DELAY_MS = 300;

export async function startFleet(
  world: World,
  { workers, gateways, envOf = () => ({}) }: FleetOptions,
): Promise<Fleet> {
  const restarts = { worker: 0, gateway: 0 };
  const unexpectedExits: string[] = [];
  let closing = false;

  async function keepSlot(role: Slot['role'], name: string): Promise<Slot> {
    const env = await envOf(name);
    const balancer = role === 'gateway' ? await createBalancer() : undefined;
    let process: Spawned | undefined;
    let started: Promise<void> = start();

    async function start(): Promise<void> {
      process = await (role === 'worker' ? world.workerProcess(env) : world.apiProcess(env));
      balancer?.route(process.url);
      const { exited } = process;
      void exited.then((status) => {
        process = undefined;
        balancer?.route();
        balancer?.dropConnections();
        if (closing) return;
        if (status !== 'SIGKILL' && status !== 0) unexpectedExits.push(`${name}: ${status}`);
        restarts[role] += 1;
        started = restart();
      });
    }
    async function restart(): Promise<void> {
      for (;;) {
        await pause(RESTART_DELAY_MS);
        if (closing) return;
        try {
          await start();
          return;
        } catch (error) {
          unexpectedExits.push(`${name}: ${(error as Error).message}`);
        }
      }
    }

    await started;
    return {
      role,
      name,
      balancer,
      get process() {
        return process;
      },
      ready: () => started,
    };
  }

  const slots = await Promise.all([
    ...Array.from({ length: workers }, (_, index) => keepSlot('worker', `worker ${index + 1}`)),
    ...Array.from({ length: gateways }, (_, index) => keepSlot('gateway', `gateway ${index + 1}`)),
  ]);
  return {
    workers: slots.filter(({ role }) => role === 'worker'),
    gateways: slots.filter(({ role }) => role === 'gateway'),
    restarts,
    unexpectedExits,
    async close() {
      closing = true;
      await Promise.all(
        slots.map(async (slot) => {
          await slot.ready().catch(() => undefined);
          await slot.process?.stop();
          await slot.balancer?.close();
        }),
      );
    },
  };
}
