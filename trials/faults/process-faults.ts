import type { Slot } from '../chaos/fleet.ts';
import type { Scenario } from './scenario.ts';

/** Longer than a job's lock. */
const FROZEN_WORKER_MS = 12_000;
const FROZEN_API_MS = 5_000;

/** Kills a process. Resolves to a function that waits until it has been restarted. */
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

/** Bots call both APIs. The API with the fault serves no dashboard. */
const API = { bots: [0, 1], screens: [1] };
/** All dashboards connect to the gateway with the fault. Bots call the other API. */
const GATEWAY = { bots: [1], screens: [0] };

export const PROCESS_FAULTS: readonly Scenario[] = [
  {
    fault: 'One of two APIs is killed and restarted',
    allowedOutcomes: ['no connection'],
    effect: 'The other API is not affected.',
    processes: 2,
    minDurationMs: 0,
    testbed: () => Promise.resolve({ gatewaysOf: API }),
    inject: ({ testbed: { fleet } }) => kill(fleet.gateways[0]!),
  },
  {
    fault: 'One of two APIs is frozen',
    allowedOutcomes: ['no response'],
    requiredOutcome: 'no response',
    effect: 'The other API is not affected.',
    processes: 2,
    minDurationMs: FROZEN_API_MS,
    testbed: () => Promise.resolve({ gatewaysOf: API }),
    inject: ({ testbed: { fleet } }) => freeze(fleet.gateways[0]!),
  },
  {
    fault: 'The gateway of all dashboards is killed and restarted',
    allowedOutcomes: [],
    effect: 'Dashboards reconnect and receive a replay.',
    processes: 2,
    minDurationMs: 0,
    testbed: () => Promise.resolve({ gatewaysOf: GATEWAY }),
    inject: ({ testbed: { fleet } }) => kill(fleet.gateways[0]!),
  },
  {
    fault: 'The gateway of all dashboards is frozen',
    allowedOutcomes: [],
    effect: 'Events are late.',
    processes: 2,
    minDurationMs: FROZEN_API_MS,
    testbed: () => Promise.resolve({ gatewaysOf: GATEWAY }),
    inject: ({ testbed: { fleet } }) => freeze(fleet.gateways[0]!),
  },
  {
    fault: 'One of two workers is killed while busy and restarted',
    allowedOutcomes: [],
    effect: 'Only its jobs are late.',
    processes: 2,
    minDurationMs: 0,
    maxRecoveryMs: 30_000,
    async inject({ testbed: { fleet, workload } }) {
      await workload.emitAll();
      return kill(fleet.workers[0]!);
    },
    untilRecovered: ({ ledger }) => ledger.settled(),
  },
  {
    fault: 'One of two workers is frozen while busy',
    allowedOutcomes: [],
    effect: 'Only its jobs are late.',
    processes: 2,
    minDurationMs: FROZEN_WORKER_MS,
    maxRecoveryMs: 30_000,
    async inject({ testbed: { fleet, workload } }) {
      await workload.emitAll();
      return freeze(fleet.workers[0]!);
    },
    untilRecovered: ({ ledger }) => ledger.settled(),
  },
];
