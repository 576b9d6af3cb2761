import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../test/harness/until.ts';
import type { Spawned } from '../../test/harness/processes.ts';
import type { World } from '../../test/harness/world.ts';
import { createOwnerReader } from '../chaos/capture-owner.ts';
import type { Fleet } from '../chaos/fleet.ts';
import type { Random } from '../chaos/random.ts';
import type { LeaseWatch } from './watch-lease.ts';

/** A kill, and freezes that are shorter and longer than the lease (6 s). Each run begins with a kill and a long freeze. */
const FAULTS = ['kill', 'long freeze', 'short freeze'] as const;
const FREEZE_MS = { 'long freeze': [9_000, 12_000], 'short freeze': [500, 5_000] } as const;
const LOOK_EVERY_MS = 200;

export interface OwnerFaults {
  killed: number;
  frozen: number;
  /** Freezes during which another worker became the owner. */
  replaced: number;
  /** Milliseconds from each kill, and from the beginning of those freezes, until another worker read the stream. */
  takeoverMs: number[];
}

/** Kills or freezes the worker that reads the change stream, again and again, until `end` is called. */
export function startOwnerFaults(deps: {
  world: World;
  fleet: Fleet;
  lease: LeaseWatch;
  random: Random;
  everyMs: number;
  onFault: (what: string) => void;
}): { counts: Readonly<OwnerFaults>; end: () => Promise<OwnerFaults> } {
  const { world, fleet, lease, random, everyMs, onFault } = deps;
  const counts: OwnerFaults = { killed: 0, frozen: 0, replaced: 0, takeoverMs: [] };
  const ownerPid = createOwnerReader(world);
  const ended = new AbortController();
  const { signal } = ended;
  const wait = (ms: number) => pause(ms, undefined, { signal }).catch(() => undefined);

  async function disturb(): Promise<void> {
    const pid = await ownerPid();
    const slot = fleet.workers.find(({ process }) => process?.pid === pid);
    const owner = slot?.process;
    if (!slot || !owner) {
      await wait(LOOK_EVERY_MS);
      return;
    }
    const fault = FAULTS[counts.killed + counts.frozen] ?? random.pick(FAULTS);
    const ownerId = lease.owner();
    const began = performance.now();
    let takeoverMs: number | undefined;
    const takeover = lease.replaced(ownerId).then(() => {
      takeoverMs = performance.now() - began;
      return takeoverMs;
    });
    if (fault === 'kill') {
      void takeover.then((tookMs) => counts.takeoverMs.push(tookMs));
      onFault(`${slot.name} is killed`);
      owner.kill('SIGKILL');
      await owner.exited;
      counts.killed += 1;
      return;
    }
    const [shortest, longest] = FREEZE_MS[fault];
    const ms = random.between(shortest, longest);
    onFault(`${slot.name} is frozen for ${ms} ms`);
    owner.kill('SIGSTOP');
    await pause(ms);
    const replacedAfterMs = takeoverMs;
    await thaw(owner, ownerId);
    counts.frozen += 1;
    if (replacedAfterMs === undefined) return;
    counts.replaced += 1;
    counts.takeoverMs.push(replacedAfterMs);
  }

  /** Resolves when the worker has tried to use the lease again. Without a fence it would succeed. */
  async function thaw(owner: Spawned, ownerId: string | undefined): Promise<void> {
    const before = lease.attemptsOf(ownerId ?? '');
    owner.kill('SIGCONT');
    await eventually('the worker to use the lease', () => lease.attemptsOf(ownerId ?? '') > before);
  }

  const running = (async () => {
    for (;;) {
      await wait(random.between(everyMs / 2, (3 * everyMs) / 2));
      if (signal.aborted) return;
      await disturb();
    }
  })();
  running.catch(() => undefined); // `end` rejects
  return {
    counts,
    async end() {
      ended.abort();
      await running;
      await Promise.all(fleet.workers.map((slot) => slot.ready()));
      return counts;
    },
  };
}
