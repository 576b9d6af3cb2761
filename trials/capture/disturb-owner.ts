import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { World } from '../../test/harness/world.ts';
import type { Fleet } from '../chaos/fleet.ts';
import type { Random } from '../chaos/random.ts';

/** A kill, and freezes that are shorter and longer than the lease (6 s). Each run begins with a kill and a long freeze. */
const FAULTS = ['kill', 'long freeze', 'short freeze'] as const;
const FREEZE_MS = { 'long freeze': [9_000, 12_000], 'short freeze': [500, 5_000] } as const;
const LOOK_EVERY_MS = 200;

export interface OwnerFaults {
  killed: number;
  frozen: number;
  /** Freezes during which another worker became the owner. */
  replaced: number;
}

/** Kills or freezes the worker that reads the change stream, again and again, until `end` is called. */
export function startOwnerFaults(deps: {
  world: World;
  fleet: Fleet;
  random: Random;
  everyMs: number;
  onFault: (what: string) => void;
}): { end: () => Promise<OwnerFaults> } {
  const { world, fleet, random, everyMs, onFault } = deps;
  const counts: OwnerFaults = { killed: 0, frozen: 0, replaced: 0 };
  const ownerPid = createOwnerReader(join(world.env['LOG_DIR']!, 'combined.log'));
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
    if (fault === 'kill') {
      onFault(`${slot.name} is killed`);
      owner.kill('SIGKILL');
      counts.killed += 1;
      await owner.exited;
      return;
    }
    const [shortest, longest] = FREEZE_MS[fault];
    const ms = random.between(shortest, longest);
    onFault(`${slot.name} is frozen for ${ms} ms`);
    owner.kill('SIGSTOP');
    await pause(ms);
    counts.frozen += 1;
    if ((await ownerPid()) !== pid) counts.replaced += 1;
    owner.kill('SIGCONT');
  }

  const running = (async () => {
    for (;;) {
      await wait(random.between(everyMs / 2, (3 * everyMs) / 2));
      if (signal.aborted) return;
      await disturb();
    }
  })();
  return {
    async end() {
      ended.abort();
      await running;
      await Promise.all(fleet.workers.map((slot) => slot.ready()));
      return counts;
    },
  };
}

/** Reads from the log which process opened the change stream last. */
function createOwnerReader(path: string): () => Promise<number | undefined> {
  let position = 0;
  let rest = '';
  let pid: number | undefined;
  return async () => {
    const file = await open(path);
    try {
      for await (const chunk of file.createReadStream({
        start: position,
        encoding: 'utf8',
        autoClose: false,
      })) {
        position += Buffer.byteLength(chunk as string);
        const lines = `${rest}${chunk as string}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines)
          if (line.includes('this worker reads the change stream'))
            pid = (JSON.parse(line) as { pid: number }).pid;
      }
    } finally {
      await file.close();
    }
    return pid;
  };
}
