import { setTimeout as pause } from 'node:timers/promises';
import type { Spawned } from '../../test/harness/processes.ts';
import type { World } from '../../test/harness/world.ts';
import { createSwitchboard, type Switchboard } from './switchboard.ts';

/** A place in the fleet: a process that is started again whenever it ends. */
export interface Slot {
  role: 'worker' | 'gateway';
  name: string;
  /** The process of now; undefined between its end and the next start. */
  readonly process: Spawned | undefined;
  /** For gateways: the address that stays. */
  board: Switchboard | undefined;
  /** Resolves when a process is there and ready. */
  ready: () => Promise<void>;
}

export interface Fleet {
  workers: Slot[];
  gateways: Slot[];
  /** How often each role was started again. */
  restarts: Record<Slot['role'], number>;
  /** Processes that ended by themselves, which none should: role and how. */
  ownEnds: string[];
  close: () => Promise<void>;
}

const RESTART_AFTER_MS = 300;

export async function startFleet(
  world: World,
  { workers, gateways, env = {} }: { workers: number; gateways: number; env?: Record<string, string> },
): Promise<Fleet> {
  const restarts = { worker: 0, gateway: 0 };
  const ownEnds: string[] = [];
  let closing = false;

  async function keepSlot(role: Slot['role'], name: string): Promise<Slot> {
    const board = role === 'gateway' ? await createSwitchboard() : undefined;
    let process: Spawned | undefined;
    let started: Promise<void> = start();

    async function start(): Promise<void> {
      process = await (role === 'worker' ? world.workerProcess(env) : world.apiProcess(env));
      board?.lead(process.url);
      const { exited } = process;
      void exited.then((how) => {
        process = undefined;
        board?.lead();
        board?.cut();
        if (closing) return;
        if (how !== 'SIGKILL' && how !== 0) ownEnds.push(`${name}: ${how}`);
        restarts[role] += 1;
        started = startAgain();
      });
    }
    async function startAgain(): Promise<void> {
      for (;;) {
        await pause(RESTART_AFTER_MS);
        if (closing) return;
        try {
          await start();
          return;
        } catch (error) {
          ownEnds.push(`${name}: ${(error as Error).message}`);
        }
      }
    }

    await started;
    return {
      role,
      name,
      board,
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
    ownEnds,
    async close() {
      closing = true;
      await Promise.all(
        slots.map(async (slot) => {
          await slot.ready().catch(() => undefined);
          await slot.process?.stop();
          await slot.board?.close();
        }),
      );
    },
  };
}
