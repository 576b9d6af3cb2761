import type { Slot } from '../chaos/fleet.ts';
import type { Scenario } from './scenario.ts';

/** Longer than a job's lock. */
const FROZEN_WORKER_MS = 12_000;
const FROZEN_API_MS = 5_000;

/** Ends a process; resolves to what waits until it was started again. */
async function kill(slot: Slot): Promise<() => Promise<void>> {
  const { process } = slot;
  process?.kill('SIGKILL');
  await process?.exited;
  return () => slot.ready();
}

function freeze({ process }: Slot): Promise<() => void> {
  process?.kill('SIGSTOP');
  return Promise.resolve(() => process?.kill('SIGCONT'));
}

/** Bots call both APIs; the one that is hit holds no dashboard. */
const API = { bots: [0, 1], screens: [1] };
/** Bots call the other one; all dashboards hang on the one that is hit. */
const GATEWAY = { bots: [1], screens: [0] };

export const PROCESS_FAULTS: readonly Scenario[] = [
  {
    fault: 'An API of two is killed, and started again',
    answers: ['no connection'],
    seen: 'Who calls the other one notices nothing.',
    processes: 2,
    lastsMs: 0,
    arena: () => Promise.resolve({ seats: API }),
    inflict: ({ arena: { fleet } }) => kill(fleet.gateways[0]!),
  },
  {
    fault: 'An API of two is frozen',
    answers: ['no answer'],
    provokes: 'no answer',
    seen: 'Who calls the other one notices nothing.',
    processes: 2,
    lastsMs: FROZEN_API_MS,
    arena: () => Promise.resolve({ seats: API }),
    inflict: ({ arena: { fleet } }) => freeze(fleet.gateways[0]!),
  },
  {
    fault: 'The gateway of all dashboards is killed, and started again',
    answers: [],
    seen: 'Screens say that they are not live, connect again and are replayed what they missed.',
    processes: 2,
    lastsMs: 0,
    arena: () => Promise.resolve({ seats: GATEWAY }),
    inflict: ({ arena: { fleet } }) => kill(fleet.gateways[0]!),
  },
  {
    fault: 'The gateway of all dashboards is frozen',
    answers: [],
    seen: 'Screens hear nothing, and all of it when it thaws.',
    processes: 2,
    lastsMs: FROZEN_API_MS,
    arena: () => Promise.resolve({ seats: GATEWAY }),
    inflict: ({ arena: { fleet } }) => freeze(fleet.gateways[0]!),
  },
  {
    fault: 'A worker of two is killed at work, and started again',
    answers: [],
    seen: 'What it worked on comes late; all else as usual. Counted from the kill until that is published.',
    processes: 2,
    lastsMs: 0,
    recoversWithinMs: 30_000,
    async inflict({ arena: { fleet, shop } }) {
      await shop.announceAll();
      return kill(fleet.workers[0]!);
    },
    released: ({ ledger }) => ledger.settled(),
  },
  {
    fault: 'A worker of two is frozen at work',
    answers: [],
    seen: 'What it worked on comes late; all else as usual. Counted from the freeze until that is published.',
    processes: 2,
    lastsMs: FROZEN_WORKER_MS,
    recoversWithinMs: 30_000,
    async inflict({ arena: { fleet, shop } }) {
      await shop.announceAll();
      return freeze(fleet.workers[0]!);
    },
    released: ({ ledger }) => ledger.settled(),
  },
];
